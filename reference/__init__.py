"""The same models trained on two engines: minijax, and real JAX.

Models, losses, optimisers and training steps are plain functions whose first parameter is the engine.
`python -m reference --help` lists the commands.
"""
