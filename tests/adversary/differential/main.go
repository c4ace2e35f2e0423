// Command differential reads HCL documents as Terraform does, for our reader to be compared with.
//
// Standard input has one document a line, as base64 in a JSON string; standard output has one reading a line.
// With the argument "template" each is what a template's file holds, and not a configuration.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// keywords stand before a parenthesis and call nothing.
var keywords = map[string]bool{"in": true, "if": true}

// reading is what the parser made of a document. Places are bytes.
type reading struct {
	Valid       bool           `json:"valid"`
	Definitions []definition   `json:"definitions"`
	Heredocs    [][2]int       `json:"heredocs"` // of each its first byte, and that of the line that ends it
	Strings     map[int]string `json:"strings"`  // those without a template
	Calls       []named        `json:"calls"`
	References  []named        `json:"references"` // without the names that a "for" binds
	Called      []int          `json:"called"`     // names before a parenthesis, in whatever was read
}

// definition is an argument or a block, and how deep it stands.
type definition struct {
	At    int      `json:"at"`
	Depth int      `json:"depth"`
	Words []string `json:"words"`
}

// named is a call with the places of its arguments, or a reference with the attributes that follow its root.
type named struct {
	At        int    `json:"at"`
	Name      string `json:"name"`
	Arguments []int  `json:"arguments,omitempty"`
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	buffered := bufio.NewWriter(os.Stdout)
	out := json.NewEncoder(buffered)
	for {
		var source []byte
		if err := in.Decode(&source); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		reading := read(source)
		if len(os.Args) > 1 && os.Args[1] == "template" {
			reading = readTemplate(source)
		}
		if err := out.Encode(reading); err != nil {
			log.Fatal(err)
		}
	}
	if err := buffered.Flush(); err != nil {
		log.Fatal(err)
	}
}

var start = hcl.Pos{Line: 1, Column: 1}

func read(source []byte) reading {
	result := reading{Strings: map[int]string{}}
	tokens, _ := hclsyntax.LexConfig(source, "", start)
	quotes := result.lex(tokens)
	file, problems := hclsyntax.ParseConfig(source, "", start)
	result.Valid = !problems.HasErrors()
	if body, ok := file.Body.(*hclsyntax.Body); ok && result.Valid {
		result.define(body, 0)
		result.visit(body, quotes)
	}
	return result
}

func readTemplate(source []byte) reading {
	result := reading{Strings: map[int]string{}}
	tokens, _ := hclsyntax.LexTemplate(source, "", start)
	quotes := result.lex(tokens)
	template, problems := hclsyntax.ParseTemplate(source, "", start)
	result.Valid = !problems.HasErrors()
	if result.Valid {
		result.refer(template)
		result.visit(template, quotes)
	}
	return result
}

// lex fills in what only tokens tell, and returns where strings and heredocs begin.
func (r *reading) lex(tokens hclsyntax.Tokens) map[int]bool {
	quotes := map[int]bool{}
	var open []int
	for i, token := range tokens {
		at := token.Range.Start.Byte
		switch token.Type {
		case hclsyntax.TokenOQuote:
			quotes[at] = true
		case hclsyntax.TokenOHeredoc:
			quotes[at] = true
			open = append(open, at)
		case hclsyntax.TokenCHeredoc:
			r.Heredocs = append(r.Heredocs, [2]int{open[len(open)-1], at})
			open = open[:len(open)-1]
		case hclsyntax.TokenOParen:
			if i > 0 && tokens[i-1].Type == hclsyntax.TokenIdent && !keywords[string(tokens[i-1].Bytes)] {
				r.Called = append(r.Called, tokens[i-1].Range.Start.Byte)
			}
		}
	}
	return quotes
}

func (r *reading) define(body *hclsyntax.Body, depth int) {
	for _, attribute := range body.Attributes {
		at := attribute.NameRange.Start.Byte
		r.Definitions = append(r.Definitions, definition{at, depth, []string{attribute.Name, "="}})
	}
	for _, block := range body.Blocks {
		words := append([]string{block.Type}, block.Labels...)
		r.Definitions = append(r.Definitions, definition{block.TypeRange.Start.Byte, depth, words})
		r.define(block.Body, depth+1)
	}
	sort.Slice(r.Definitions, func(i, j int) bool { return r.Definitions[i].At < r.Definitions[j].At })
}

func (r *reading) refer(expression hclsyntax.Expression) {
	for _, traversal := range hclsyntax.Variables(expression) {
		r.References = append(r.References, reference(traversal))
	}
}

func (r *reading) visit(root hclsyntax.Node, quotes map[int]bool) {
	hclsyntax.VisitAll(root, func(node hclsyntax.Node) hcl.Diagnostics {
		at := node.Range().Start.Byte
		switch node := node.(type) {
		case *hclsyntax.Attribute:
			r.refer(node.Expr)
		case *hclsyntax.FunctionCallExpr:
			call := named{At: node.NameRange.Start.Byte, Name: node.Name}
			for _, argument := range node.Args {
				call.Arguments = append(call.Arguments, argument.Range().Start.Byte)
			}
			r.Calls = append(r.Calls, call)
		case *hclsyntax.TemplateExpr:
			if text, literal := text(node); literal && quotes[at] {
				r.Strings[at] = text
			}
		}
		return nil
	})
}

func reference(traversal hcl.Traversal) named {
	names := []string{traversal.RootName()}
	for _, step := range traversal[1:] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok {
			break
		}
		names = append(names, attribute.Name)
	}
	return named{At: traversal.SourceRange().Start.Byte, Name: strings.Join(names, ".")}
}

// text is the value of a string or heredoc, where all of it is text.
func text(template *hclsyntax.TemplateExpr) (string, bool) {
	var result strings.Builder
	for _, part := range template.Parts {
		literal, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || literal.Val.Type() != cty.String {
			return "", false
		}
		result.WriteString(literal.Val.AsString())
	}
	return result.String(), true
}
