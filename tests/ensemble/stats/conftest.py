from hypothesis import settings

settings.register_profile("unhurried", deadline=None)  # a shared machine must not fail a proof by being slow
settings.load_profile("unhurried")
