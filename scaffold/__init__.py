"""Scaffolding for new Services of a Terragrunt and Kubernetes monorepo."""
