"""How an Answer is asked, compared and told about: the same code in the student's kernel and the sandbox."""
