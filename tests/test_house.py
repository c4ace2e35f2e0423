"""The house at a glance, in a real browser: what is on the page, that it works and reads well, and that it
loads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import needs, scaffold, where

from scaffold.checks.rule import Severity
from scaffold.checks.verify import Unverified
from scaffold.commands.check import Checked, check
from scaffold.commands.exposed import Backup, Encrypted, Host, Reach, Store
from scaffold.commands.house import (
    Figure,
    Found,
    House,
    Object,
    Row,
    RuleCount,
    StackPage,
    house_at_a_glance,
)
from scaffold.commands.rule import by_code
from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo
from scaffold.report.house import as_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RULES = by_code()
HOSTILE = '<img src="https://example.test/x" onerror="alert(1)">'
CONTROLS = "a[href], button, input, select, summary, [tabindex]"


def finding(stack: str, code: str, line: int, message: str) -> Found:
    severity = RULES[code].severity
    return Found(
        Finding(f"stacks/{stack}/main.tf", line, 3, code, message, fix="mend it"), severity, stack, True
    )


def host(name: str, gate: str, stack: str, reach: Reach = Reach.INTERNET) -> Host:
    return Host(
        f"{name}.example.test", ("/",), stack, reach, "proxied", gate, (), f"stacks/{stack}/main.tf:7"
    )


FOUND = (finding("beds", "ING001", 10, HOSTILE), finding("beds", "STO004", 9, "too full"))
ELSEWHERE = replace(FOUND[1], stack="modules/shared/main.tf", is_stack=False)
HOUSE = House(
    name="garden",
    planned=True,
    hosts=(
        host("lawn", "required", "lawn"),
        host("beds", "app", "beds"),
        host("shed", "none", "beds", Reach.INSIDE),
        Host("mower.lawn", ("22/TCP",), "lawn", Reach.LOAD_BALANCER, "", "no ingress", (), ""),
    ),
    stores=(
        Store("beds-data", "beds", "block", "2Gi", Encrypted.YES, Backup.NO),
        Store("lawn-data", "lawn", "block", "512Mi", Encrypted.NO, Backup.SAVED, ("lawn-backup",)),
        Store("lawn", "lawn", "shared postgresql server", "", Encrypted.UNKNOWN, Backup.NOT_JUDGED),
    ),
    rules=(
        RuleCount("ING001", "an ingress says what gates it", "why", Severity.ERROR, 1, 1),
        RuleCount("STO004", "a volume grows", "why", Severity.WARNING, 1, 1),
    ),
    found=(*FOUND, ELSEWHERE),
    stacks=(
        StackPage(
            "beds", HOSTILE, FOUND, (Object("deployment", "beds", "kubernetes_deployment.beds", "main.tf:1"),),
            (("name", "beds"),), (Row("catalog", "catalog.md", "beds"),), "its answers cannot be read",
        ),
        StackPage("lawn", "", (), (), (), ()),
    ),
    unverified=(Unverified("what only the cluster knows", "quotas"),),
    unplanned=("lawn",),
)  # fmt: skip


# what is on the page


@pytest.mark.slow("plans every stack of the sample monorepo")
@needs("terraform")
def test_the_sample_monorepo_is_shown_as_it_is_planned(pristine: Monorepo) -> None:
    found = check(pristine, pristine.stacks)
    house = house_at_a_glance(pristine, found)
    ways = {(host.host, host.paths): host for host in house.hosts}
    navidrome = [host for host in house.hosts if host.stack == "navidrome"]
    assert navidrome, ways
    assert {host.gate for host in navidrome} == {"app"}
    assert all(host.is_open for host in navidrome)
    stores = {store.name: store for store in house.stores if store.stack == "navidrome"}
    lost = [name for name, store in stores.items() if store.is_lost]
    assert lost == [f.message.split()[1].strip(":") for f in found.findings if f.code == "BAK002"]
    figures = {figure.what: figure.number for figure in house.figures}
    assert figures["errors"] + figures["warnings"] == len(found.findings)
    assert sum(sum(line.counts) for line in house.matrix) == len(found.findings)
    page = next(page for page in house.stacks if page.name == "navidrome")
    assert any(page.rows for page in house.stacks)
    assert {f"stacks/{page.name}/main.tf"} >= {one.finding.path for one in page.found}
    assert any(one.kind == "namespace" for one in page.objects)


def test_without_plans_the_page_says_what_is_missing(pristine: Monorepo) -> None:
    done = scaffold("check", "--all", "--static", "--format", "html", cwd=pristine.root)
    assert done.returncode == 1
    assert "Not verified: the plans (left out by --static)." in done.stdout
    assert done.stdout.count("Not known: nothing was planned.") >= 2
    assert (
        Figure(0, "hosts that the internet reaches")
        not in house_at_a_glance(pristine, Checked((), (), frozenset())).figures
    )


def test_the_page_names_nothing_outside_itself_and_escapes_what_others_wrote() -> None:
    page = as_html(HOUSE)
    assert HOSTILE not in page
    assert "&lt;img src=" in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("size", "number"), [("512Mi", 2**29), ("2Gi", 2**31), ("", 0), ("10", 10), ("?", 0)]
)
def test_sizes_are_sorted_as_numbers(size: str, number: float) -> None:
    assert replace(HOUSE.stores[0], size=size).bytes == number


# in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        # Chromium's own sandbox wants rights that root in a container does not have.
        started = tool.chromium.launch(executable_path=where("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page as it was opened, with all that it said or asked for."""
    file = tmp_path / "house.html"
    file.write_text(as_html(HOUSE))
    opened = browser.new_page(viewport={"width": 400, "height": 800})
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url))
    opened.goto(file.as_uri())
    yield opened
    assert said == [file.as_uri()]
    opened.close()


_LINES = """element => {
  const lines = new Map(), range = document.createRange();
  const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());)
    for (let i = 0; i < node.length; i++) {
      range.setStart(node, i);
      range.setEnd(node, i + 1);
      const top = Math.round(range.getBoundingClientRect().top);
      lines.set(top, (lines.get(top) ?? "") + node.data[i]);
    }
  return [...lines.values()];
}"""
"""The text of an element, line by line as the browser shows it."""


def column(page: Page, table: str, number: int) -> list[str]:
    """The text of the cells that are shown in a column."""
    rows = page.locator(f"#{table} tbody tr:visible")
    return [row.locator("th, td").nth(number).inner_text() for row in rows.all()]


@needs("chromium")
def test_tables_are_searched_filtered_and_sorted(page: Page) -> None:
    assert len(column(page, "host-table", 0)) == 4
    page.get_by_label("Search hosts").fill("beds APP")
    assert column(page, "host-table", 0) == ["beds.example.test"]
    assert page.locator(".tools[data-for=host-table] output").inner_text() == "1 of 4"
    page.get_by_label("Search hosts").fill("")
    page.locator("#hosts ~ .tools").get_by_label("Gate").select_option("required")
    assert column(page, "host-table", 0) == ["lawn.example.test"]
    size = page.locator("#store-table thead th").nth(2)
    for order, sizes in ("descending", ["2Gi", "512Mi", "–"]), ("ascending", ["–", "512Mi", "2Gi"]):
        size.get_by_role("button").click()
        assert size.get_attribute("aria-sort") == order
        assert column(page, "store-table", 2) == sizes
    page.get_by_label("Search stacks").last.fill("lawn")
    assert page.locator("details:visible").count() == 1


@needs("chromium")
def test_a_place_breaks_after_a_slash_only(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "house.html"
    place = "stacks/garden-shed/a-module-with-a-long-name/main-of-it.tf:12"
    file.write_text(as_html(replace(HOUSE, hosts=(replace(HOUSE.hosts[0], place=place),))))
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(file.as_uri())
    written = page.locator("#host-table td.place code")
    lines = written.evaluate(_LINES)
    page.close()
    assert "".join(lines) == place
    assert len(lines) > 1
    assert all(line.endswith("/") for line in lines[:-1])


@needs("chromium")
def test_a_link_opens_the_page_of_a_stack(page: Page) -> None:
    beds = page.locator("#stack-beds")
    assert not beds.evaluate("page => page.open")
    page.locator("#store-table").get_by_role("link", name="beds").click()
    page.wait_for_function("document.getElementById('stack-beds').open")
    assert beds.get_by_role("row", name="kubernetes_deployment.beds").is_visible()


@pytest.mark.slow("presses a key for every control")
@needs("chromium")
def test_the_keyboard_reaches_every_control(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(page => page.open = true)")
    wanted = page.evaluate(
        f"[...document.querySelectorAll('{CONTROLS}')].filter(e => e.checkVisibility()).length"
    )
    reached = set()
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    body = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.body)")
    assert len(reached - {body}) == wanted
    assert wanted > 40


@pytest.mark.slow("audits every element, four times")
@needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_everybody_can_read_it(page: Page, scheme: str, width: int) -> None:
    """No audit of axe's finds anything, contrast of every text included, and only tables scroll sideways."""
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(page => page.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    audit = Axe().run(page)
    told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in audit.response["violations"]]
    assert told == []
    assert "color-contrast" in {one["id"] for one in audit.response["passes"]}
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 24, 28)"}[scheme]


@pytest.mark.slow("prints the page")
@needs("chromium")
def test_it_is_read_without_javascript_and_printed(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "house.html"
    file.write_text(as_html(HOUSE))
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.locator("#host-table tbody tr:visible").count() == 4
        assert page.locator(".tools:visible").count() == 0
        page.locator("summary").first.click()
        assert page.get_by_role("row", name="kubernetes_deployment.beds").is_visible()
        page.emulate_media(media="print")
        assert page.locator("nav:visible").count() == 0
        assert page.pdf().startswith(b"%PDF")
