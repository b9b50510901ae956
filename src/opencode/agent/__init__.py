"""Who answers: built-in agents with the changes of configuration, their rules and their own prompts.

Reading agents from Markdown is the business of ``config``, calling models that of ``loop``.
"""
