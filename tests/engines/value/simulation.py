"""Customers who live by a model of purchases."""

import numpy as np


def simulate(model, ages, ahead, seed):
    """Customers who live by the model: (x, t_x) up to their age, and purchases in the weeks ahead."""
    random = np.random.default_rng(seed)
    size = len(ages)
    rate = random.gamma(model.r, 1 / model.alpha, size)
    leaves = random.beta(model.a, model.b, size)
    x, t_x, later = np.zeros(size), np.zeros(size), np.zeros(size)
    now, here = np.zeros(size), np.arange(size)
    while len(here):
        now[here] += random.exponential(1 / rate[here])
        here = here[now[here] <= ages[here] + ahead]
        seen = here[now[here] <= ages[here]]
        x[seen] += 1
        t_x[seen] = now[seen]
        later[here[now[here] > ages[here]]] += 1
        here = here[random.random(len(here)) >= leaves[here]]
    return x, t_x, later
