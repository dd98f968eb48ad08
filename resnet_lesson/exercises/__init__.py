"""Exercises that answer: a module of them for each notebook.

``from resnet_lesson.exercises import vanishing_gradients as exercises``, and then
``exercises.leaky.check(answer)``, ``.hint()`` and ``.solution()``.
"""
