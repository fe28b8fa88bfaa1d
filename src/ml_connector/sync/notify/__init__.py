"""Telling people: what is told (`notices`, `silence`), how it is put (`gather`, `wording`), where to (`channels`), and
how it leaves (`sending`)."""
