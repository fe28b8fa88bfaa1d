"""How requests leave: the one HTTP client, OData paging, XML. Knows no vendor."""
