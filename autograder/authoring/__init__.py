"""Authoring: builds what students are handed from the solved lessons in solutions/."""
