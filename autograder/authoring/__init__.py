"""Authoring: from the solved lessons in solutions/ to what students are handed."""
