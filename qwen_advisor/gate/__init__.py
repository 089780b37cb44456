"""A gate: does a model fit as asked, does it hold a policy, does a choice that was locked still hold?

Values come in, verdicts go out. Files are read by `policy_file` and `lock_file` alone, and today's date is an argument.
"""
