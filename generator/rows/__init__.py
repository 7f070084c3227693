"""The rows of the request table, a module for each family; ``generator.spec`` puts them together."""
