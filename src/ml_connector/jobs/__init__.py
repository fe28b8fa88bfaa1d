"""Who does what when: schedules in the Flows' rows, workers that run what is due, take-over when one dies.

What is to be done stands in our own tables only. The job engine is a queue in front of the workers: should it lose
everything, each Flow is due again by its row.
"""
