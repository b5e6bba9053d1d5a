"""Code that the declarations of several lessons share."""
