"""Makes figures.json: what other libraries compute, in float64, on one small model.

Run by `npm run conformance`, where Python has torch, jax, optax, keras and timm. The model's start and its gradients are
formulas in integers and powers of two, so that both sides have them exactly:

    weight i of layer k                 ((5 i + 3 k) mod 11 - 5) / 8             (0 in "zero/kernel")
    gradient i of layer k in step t     ((7 i + 13 t + 5 k) mod 17 - 8) / 2^(4+k)  (0 in "still/kernel")

A case gives the optimizer as optc names it, its options, which layers its mask `adapt` holds for, and every weight after
each of the steps in STEPS.
"""
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np
import optax
import timm
import torch
from timm.optim import Lamb as TimmLamb
from timm.optim import Lars as TimmLars

STEPS = [1, 2, 10, 100]
LAYERS = [("dense/kernel", [3, 4]), ("conv/kernel", [2, 2, 2, 3]), ("dense/bias", [4]), ("zero/kernel", [3, 2]), ("still/kernel", [2, 3])]
VERSIONS = {"torch": torch.__version__, "optax": optax.__version__, "keras": keras.__version__, "timm": timm.__version__}


def start(k):
    name, shape = LAYERS[k]
    i = np.arange(np.prod(shape))
    w = ((5 * i + 3 * k) % 11 - 5) / 8
    return (w * (name != "zero/kernel")).reshape(shape).astype(np.float64)


def gradient(k, t):
    name, shape = LAYERS[k]
    i = np.arange(np.prod(shape))
    g = ((7 * i + 13 * t + 5 * k) % 17 - 8) / 2 ** (4 + k)
    return (g * (name != "still/kernel")).reshape(shape).astype(np.float64)


def run(step):
    """`step(t, gradients)` returns the weights after step t; gives those of the steps in STEPS."""
    after = {}
    for t in range(1, max(STEPS) + 1):
        weights = step(t, [gradient(k, t) for k in range(len(LAYERS))])
        if t in STEPS:
            after[str(t)] = {name: np.asarray(w, np.float64).ravel().tolist() for (name, _), w in zip(LAYERS, weights)}
    return after


def with_torch(make, groups=None):
    """`make(parameters)`; with `groups`, matrices and kernels get its first options, biases its second."""
    params = [torch.nn.Parameter(torch.tensor(start(k))) for k in range(len(LAYERS))]
    if groups is None:
        optimizer = make(params)
    else:
        wide = [p for p in params if p.dim() > 1]
        flat = [p for p in params if p.dim() <= 1]
        optimizer = make([{"params": wide, **groups[0]}, {"params": flat, **groups[1]}])

    def step(t, gradients):
        for p, g in zip(params, gradients):
            p.grad = torch.tensor(g)
        optimizer.step()
        return [p.detach().numpy().copy() for p in params]

    return run(step)


def with_optax(transform):
    weights = [jax.numpy.asarray(start(k)) for k in range(len(LAYERS))]
    state = transform.init(weights)

    def step(t, gradients):
        nonlocal weights, state
        updates, state = transform.update([jax.numpy.asarray(g) for g in gradients], state, weights)
        weights = optax.apply_updates(weights, updates)
        return weights

    return run(step)


def with_keras(make):
    keras.config.set_floatx("float64")
    variables = [keras.Variable(start(k), dtype="float64") for k in range(len(LAYERS))]
    optimizer = make()
    optimizer.build(variables)

    def step(t, gradients):
        optimizer.apply([jax.numpy.asarray(g) for g in gradients], variables)
        return [v.numpy() for v in variables]

    return run(step)


cases = []


def case(optimizer, options, library, call, after, adapt=None):
    cases.append({"optimizer": optimizer, "options": options, **({} if adapt is None else {"adapt": adapt}),
                  "library": library, "version": VERSIONS[library], "call": call, "weights": after})


everywhere = [name for name, _ in LAYERS]
wide = [name for name, shape in LAYERS if len(shape) > 1]

case("SGD", {"learningRate": 0.05}, "torch", "SGD(lr=0.05)", with_torch(lambda p: torch.optim.SGD(p, lr=0.05)))
case("SGD", {"learningRate": 0.05}, "optax", "sgd(0.05)", with_optax(optax.sgd(0.05)))

for nesterov in [False, True]:
    options = {"learningRate": 0.03, "momentum": 0.8, "nesterov": nesterov}
    case("Momentum", options, "torch", f"SGD(lr=0.03, momentum=0.8, nesterov={nesterov})",
         with_torch(lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.8, nesterov=nesterov)))
    case("Momentum", options, "optax", f"sgd(0.03, momentum=0.8, nesterov={nesterov})",
         with_optax(optax.sgd(0.03, momentum=0.8, nesterov=nesterov)))

adam = {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.01}
case("Adam", adam, "torch", "Adam(lr=0.02, betas=(0.8, 0.95), eps=0.01)",
     with_torch(lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=0.01)))
case("Adam", adam, "optax", "adam(0.02, b1=0.8, b2=0.95, eps=0.01)", with_optax(optax.adam(0.02, b1=0.8, b2=0.95, eps=0.01)))

for start_value in [0.0, 0.1]:
    options = {"learningRate": 0.05, "initialAccumulator": start_value, "epsilon": 0.01}
    case("AdaGrad", options, "torch", f"Adagrad(lr=0.05, initial_accumulator_value={start_value}, eps=0.01)",
         with_torch(lambda p: torch.optim.Adagrad(p, lr=0.05, initial_accumulator_value=start_value, eps=0.01)))

lamb = {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.01, "weightDecay": 0.1}
case("LAMB", lamb, "optax", "lamb(0.02, b1=0.8, b2=0.95, eps=0.01, weight_decay=0.1)",
     with_optax(optax.lamb(0.02, b1=0.8, b2=0.95, eps=0.01, weight_decay=0.1)), everywhere)
case("LAMB", lamb, "timm", "Lamb(lr=0.02, betas=(0.8, 0.95), eps=0.01, weight_decay=0.1 on kernels and 0 on biases, max_grad_norm=None)",
     with_torch(lambda p: TimmLamb(p, lr=0.02, betas=(0.8, 0.95), eps=0.01, max_grad_norm=None),
                [{"weight_decay": 0.1}, {"weight_decay": 0.0}]), wide)
case("LAMB", {**lamb, "weightDecay": 0}, "keras", "Lamb(0.02, beta_1=0.8, beta_2=0.95, epsilon=0.01)",
     with_keras(lambda: keras.optimizers.Lamb(0.02, beta_1=0.8, beta_2=0.95, epsilon=0.01)), everywhere)

lars = {"learningRate": 0.5, "momentum": 0.8, "weightDecay": 0.1, "trustCoefficient": 0.02, "epsilon": 0.001}
case("LARS", lars, "timm", "Lars(lr=0.5, momentum=0.8, trust_coeff=0.02, eps=0.001, weight_decay=0.1 on kernels and 0 on biases)",
     with_torch(lambda p: TimmLars(p, lr=0.5, momentum=0.8, trust_coeff=0.02, eps=0.001),
                [{"weight_decay": 0.1}, {"weight_decay": 0.0}]), wide)

# One case a line, so that a change reads as one.
layers = json.dumps([{"name": n, "shape": s} for n, s in LAYERS])
lines = ",\n".join(json.dumps(c) for c in cases)
sys.stdout.write(f'{{"steps": {json.dumps(STEPS)}, "layers": {layers}, "cases": [\n{lines}\n]}}\n')
