"""Makes figures.json: what other libraries compute, in float64, on one small model. Run by `npm run conformance`.

The model's start and its gradients are formulas in integers and powers of two, so that both sides have them exactly:

    weight i of layer k                 ((5 i + 3 k) mod 11 - 5) / 8             (0 in "zero/kernel")
    gradient i of layer k in step t     ((7 i + 13 t + 5 k) mod 17 - 6) / 2^(4+k)  (0 in "still/kernel")

A case gives an optimizer of ours and its options, what it is compared with, and all weights, layer after layer, after some
of the steps. `program`: its text, where it is not shipped. `masks`: the layers that a mask holds for. `groups`: what
biases have in the place of the options. `unlike`: the same name, but not the same mathematics.
"""
import json
import os
import sys
import warnings

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
warnings.simplefilter("ignore")

import importlib.metadata

import jax
import keras
import numpy as np
import optax
import optax.contrib
import pytorch_optimizer
import timm.optim
import timm.scheduler.wsd_lr
import timm.utils
import torch
import torch_optimizer
from pytorch_optimizer.optimizer.gradient_centralization import centralize_gradient

# Scalar state, such as NAdam's product of momenta, has the default type.
torch.set_default_dtype(torch.float64)
keras.config.set_floatx("float64")
# Keras's mean is computed in float32, whatever it is of.
keras.src.ops.mean = lambda x, **how: jax.numpy.mean(keras.ops.convert_to_tensor(x), **how)
# pytorch_optimizer adds this to every v under the root, and has no option for it.
for bounded in [pytorch_optimizer.AdaPNM.apply_ams_bound, pytorch_optimizer.AdaPNM.apply_ams_bound_foreach]:
    bounded.__defaults__ = (0.0,)

STEPS = [1, 2, 10, 100]
LAYERS = [("dense/kernel", [3, 4]), ("conv/kernel", [2, 2, 1, 3]), ("dense/bias", [4]), ("zero/kernel", [3, 2]), ("still/kernel", [2, 3])]
# Without what says how it was built: "2.13.0+cpu".
LIBRARIES = {name: importlib.metadata.version(name.replace("_", "-")).split("+")[0]
             for name in ["torch", "optax", "keras", "timm", "torch_optimizer", "pytorch_optimizer"]}
# Its kernels run on GPUs alone and in float32: what is compared are their formulas, as of this commit.
LIBRARIES["deepspeed"] = "e5d277f"


def start(k):
    name, shape = LAYERS[k]
    i = np.arange(np.prod(shape))
    w = ((5 * i + 3 * k) % 11 - 5) / 8
    return (w * (name != "zero/kernel")).reshape(shape).astype(np.float64)


def gradient(k, t):
    name, shape = LAYERS[k]
    i = np.arange(np.prod(shape))
    g = ((7 * i + 13 * t + 5 * k) % 17 - 6) / 2 ** (4 + k)
    return (g * (name != "still/kernel")).reshape(shape).astype(np.float64)


def run(step, steps):
    """`step(t, gradients)` returns the weights after step t; gives those of `steps`."""
    after = {}
    for t in range(1, max(steps) + 1):
        weights = step(t, [gradient(k, t) for k in range(len(LAYERS))])
        if t in steps:
            after[str(t)] = np.concatenate([np.asarray(w, np.float64).ravel() for w in weights]).tolist()
    return after


SLOWED = 6
# Kernels end with what goes in and what comes out; torch's begin with what comes out and what goes in.
TO_TORCH = {0: (), 1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
FROM_TORCH = {0: (), 1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}


def with_torch(make, flat, apart, turned, before, slowed):
    """`make(parameters)`; `flat`: other options for what has one dimension; `apart`: each matrix of a layer is a parameter;
    `turned`: kernels stand as torch has them; `before(parameters)` comes before each step; `slowed`: half the rate from step
    `SLOWED` on."""
    def cut(x):
        if turned:
            return [np.ascontiguousarray(x.transpose(TO_TORCH[x.ndim]))]
        return list(x.reshape(-1, *x.shape[-2:])) if apart and x.ndim > 2 else [x]

    def back(x):
        return x.transpose(FROM_TORCH[x.ndim]) if turned else x.copy()

    params = [torch.nn.Parameter(torch.tensor(part)) for k in range(len(LAYERS)) for part in cut(start(k))]
    groups = [{"params": [p for p in params if p.dim() > 1]}, {"params": [p for p in params if p.dim() <= 1], **(flat or {})}]
    optimizer = make(groups if flat else params)

    def step(t, gradients):
        for p, g in zip(params, [part for g in gradients for part in cut(g)]):
            p.grad = torch.tensor(g)
        if before:
            before(params)
        if slowed and t == SLOWED:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        optimizer.step()
        return [back(p.detach().numpy()) for p in params]

    return step


def is_flat(k):
    return len(LAYERS[k][1]) == 1


def with_optax(make, flat):
    def of(k):
        return "flat" if flat and is_flat(k) else "wide"

    parts = [of(k) for k in range(len(LAYERS))]
    transform = optax.partition({"wide": make(), "flat": make(**flat)}, parts) if flat else make()
    weights = [jax.numpy.asarray(start(k)) for k in range(len(LAYERS))]
    state = transform.init(weights)
    update = jax.jit(transform.update)

    def step(t, gradients):
        nonlocal weights, state
        updates, state = update([jax.numpy.asarray(g) for g in gradients], state, weights)
        weights = optax.apply_updates(weights, updates)
        return weights

    return step


def with_keras(make, flat):
    """Keras has no groups: biases have an optimizer of their own."""
    variables = [keras.Variable(start(k), dtype="float64") for k in range(len(LAYERS))]
    parts = [[k for k in range(len(LAYERS)) if not (flat and is_flat(k))], [k for k in range(len(LAYERS)) if flat and is_flat(k)]]
    optimizers = [make(), make(**(flat or {}))]
    for part, optimizer in zip(parts, optimizers):
        optimizer.build([variables[k] for k in part])

    def step(t, gradients):
        for part, optimizer in zip(parts, optimizers):
            if part:
                optimizer.apply([jax.numpy.asarray(gradients[k]) for k in part], [variables[k] for k in part])
        return [v.numpy() for v in variables]

    return step


def with_numpy(make, flat):
    """What it makes, `rule(weight, gradient, state, t)`, gives the weight after the step."""
    weights = [start(k) for k in range(len(LAYERS))]
    states = [{} for _ in LAYERS]
    rules = [make(**flat) if flat and is_flat(k) else make() for k in range(len(LAYERS))]

    def step(t, gradients):
        weights[:] = [rule(w, g, s, t) for rule, w, g, s in zip(rules, weights, gradients, states)]
        return weights

    return step


OTHERS = {"optax": with_optax, "keras": with_keras, "deepspeed": with_numpy}


def stepper(library, theirs, arguments, flat, **how):
    def make(**others):
        return theirs(**{**arguments, **others})

    if library in OTHERS:
        rate = arguments.get("learning_rate")
        falling = {"optax": lambda count: jax.numpy.where(count < SLOWED - 1, rate, rate / 2),
                   "keras": keras.optimizers.schedules.PiecewiseConstantDecay([SLOWED - 2], [rate, rate / 2]) if rate else None}
        return OTHERS[library]((lambda: make(learning_rate=falling[library])) if how["slowed"] else make, flat)
    return with_torch(lambda params: theirs(params, **arguments), flat, **how)


cases = []
# What is theirs or ours for a rate, and the optimizers of which one value is the whole model's, so that groups would part it.
RATES = ["lr", "learning_rate", "learningRate", "alpha"]
OF_MODEL = ["ClippedAdamW", "Prodigy", "DAdaptAdam", "DoG", "DoWG"]


def case(ours, options, library, theirs, arguments, flat=None, called=None, steps=None, apart=False, turned=False, before=None,
         slowed=False, **rest):
    """`theirs(**arguments)` is compared with `ours`. All steps are kept for the first case of an optimizer alone."""
    first = not any(c["optimizer"] == ours for c in cases)
    steps = steps or (STEPS if first else [2, 100])
    name = called or getattr(theirs, "__name__", None) or theirs.func.__name__
    call = f"{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})" + (f", {flat} on biases" if flat else "") + (", matrix by matrix" if apart else "") + (f", half the rate from step {SLOWED} on" if slowed else "")
    how = {"apart": apart, "turned": turned, "before": before, "slowed": slowed}
    rest = {**rest, "slowed": SLOWED} if slowed else rest
    cases.append({"optimizer": ours, "options": options, **rest, "library": library, "version": LIBRARIES[library],
                  "call": call, "weights": run(stepper(library, theirs, arguments, flat, **how), steps)})
    if first and not flat and "program" not in rest and ours not in OF_MODEL:
        rates = [(next(name for name in RATES if name in given), given) for given in [arguments, options]]
        slower, mine = [{name: given[name] / 2} for name, given in rates]
        case(ours, options, library, theirs, arguments, flat=slower, groups=mine, called=called, steps=[10], **how, **rest)


def unlike(ours, options, library, theirs, arguments, **rest):
    case(ours, options, library, theirs, arguments, steps=[10], unlike=True, **rest)


everywhere = [name for name, _ in LAYERS]
wide = [name for name, shape in LAYERS if len(shape) > 1]

lr = {"learningRate": 0.02}
eps = {"epsilon": 0.01}
decay = {"weightDecay": 0.1}
betas = {"beta1": 0.8, "beta2": 0.95}
adam = {**lr, **betas, **eps}
adamw = {**adam, **decay}

t_lr = {"lr": 0.02}
t_adam = {**t_lr, "betas": (0.8, 0.95), "eps": 0.01}
t_adamw = {**t_adam, "weight_decay": 0.1}
o_lr = {"learning_rate": 0.02}
o_adam = {**o_lr, "b1": 0.8, "b2": 0.95, "eps": 0.01}
o_adamw = {**o_adam, "weight_decay": 0.1}
k_lr = {"learning_rate": 0.02}
k_adam = {**k_lr, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.01}
k_adamw = {**k_adam, "weight_decay": 0.1}

# SGD and momentum
case("SGD", lr, "torch", torch.optim.SGD, t_lr)
case("SGD", lr, "optax", optax.sgd, o_lr)
case("SGD", lr, "keras", keras.optimizers.SGD, k_lr)
# Langevin dynamics without heat is descent at half the rate.
case("SGLD", {**lr, "temperature": 0}, "torch", torch.optim.SGD, {"lr": 0.01})
for nesterov in [False, True]:
    momentum = {**lr, "momentum": 0.8, "nesterov": nesterov}
    theirs = {"momentum": 0.8, "nesterov": nesterov}
    case("Momentum", momentum, "torch", torch.optim.SGD, {**t_lr, **theirs})
    case("Momentum", momentum, "optax", optax.sgd, {**o_lr, **theirs})
    case("Momentum", momentum, "keras", keras.optimizers.SGD, {**k_lr, **theirs})
    case("SGDW", {**momentum, **decay}, "timm", timm.optim.SGDW, {**t_lr, **theirs, "weight_decay": 0.1})
# What tells the places of the rate apart: inside of the buffer, or outside.
slow = {"momentum": 0.8, "nesterov": False}
case("Momentum", {**lr, **slow}, "torch", torch.optim.SGD, {**t_lr, **slow}, steps=[10], slowed=True)
case("Momentum", {**lr, **slow}, "optax", optax.sgd, {**o_lr, **slow}, steps=[10], slowed=True)
unlike("Momentum", {**lr, **slow}, "keras", keras.optimizers.SGD, {**k_lr, **slow}, slowed=True)
case("QHM", {**lr, "momentum": 0.8, "nu": 0.7}, "torch_optimizer", torch_optimizer.QHM, {**t_lr, "momentum": 0.8, "nu": 0.7})
case("AggMo", {**lr, "beta1": 0.8, "beta2": 0.95}, "torch_optimizer", torch_optimizer.AggMo, {**t_lr, "betas": (0.0, 0.8, 0.95)})
case("PNM", {**lr, "beta1": 0.8, "beta0": 0.7, **decay}, "pytorch_optimizer", pytorch_optimizer.PNM,
     {**t_lr, "betas": (0.8, 0.7), "weight_decay": 0.1})

# Signs
case("SignSGD", lr, "optax", optax.sign_sgd, o_lr)
case("Signum", {**lr, "momentum": 0.8}, "optax", optax.signum, {**o_lr, "beta": 0.8})
case("Tiger", {**lr, "beta": 0.8, **decay}, "pytorch_optimizer", pytorch_optimizer.Tiger, {**t_lr, "beta": 0.8, "weight_decay": 0.1})
lion = {**lr, **betas, **decay}
case("Lion", lion, "timm", timm.optim.Lion, {**t_lr, "betas": (0.8, 0.95), "weight_decay": 0.1})
case("Lion", lion, "optax", optax.lion, {**o_lr, "b1": 0.8, "b2": 0.95, "weight_decay": 0.1})
case("Lion", lion, "keras", keras.optimizers.Lion, {**k_lr, "beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.1})
rprop = {**lr, "shrink": 0.6, "grow": 1.3, "minStep": 0.004, "maxStep": 0.025}
case("Rprop", rprop, "torch", torch.optim.Rprop, {**t_lr, "etas": (0.6, 1.3), "step_sizes": (0.004, 0.025)})
unlike("Rprop", rprop, "optax", optax.rprop,
     {**o_lr, "eta_minus": 0.6, "eta_plus": 1.3, "min_step_size": 0.004, "max_step_size": 0.025})

# Sums and means of squares
for first in [0.0, 0.1]:
    case("AdaGrad", {**lr, "initialAccumulator": first, **eps}, "torch", torch.optim.Adagrad,
         {**t_lr, "initial_accumulator_value": first, "eps": 0.01})
unlike("AdaGrad", {**lr, "initialAccumulator": 0.1, **eps}, "optax", optax.adagrad, {**o_lr, "eps": 0.01})
unlike("AdaGrad", {**lr, "initialAccumulator": 0.1, **eps}, "keras", keras.optimizers.Adagrad, {**k_lr, "epsilon": 0.01})
rms = {**lr, "decay": 0.8, **eps}
case("RMSProp", rms, "torch", torch.optim.RMSprop, {**t_lr, "alpha": 0.8, "eps": 0.01})
case("RMSProp", rms, "optax", optax.rmsprop, {**o_lr, "decay": 0.8, "eps": 0.01, "eps_in_sqrt": False})
unlike("RMSProp", rms, "keras", keras.optimizers.RMSprop, {**k_lr, "rho": 0.8, "epsilon": 0.01})
case("RMSPropMomentum", {**rms, "momentum": 0.7}, "torch", torch.optim.RMSprop, {**t_lr, "alpha": 0.8, "eps": 0.01, "momentum": 0.7})
case("RMSPropCentered", {**rms, "momentum": 0.7}, "torch", torch.optim.RMSprop,
     {**t_lr, "alpha": 0.8, "eps": 0.01, "momentum": 0.7, "centered": True})
case("RMSPropCentered", {**rms, "momentum": 0}, "torch", torch.optim.RMSprop, {**t_lr, "alpha": 0.8, "eps": 0.01, "centered": True})
unlike("RMSPropCentered", {**rms, "momentum": 0}, "optax", optax.rmsprop, {**o_lr, "decay": 0.8, "eps": 0.01, "centered": True})
case("RMSPropTF", {**rms, "momentum": 0.7}, "timm", timm.optim.RMSpropTF, {**t_lr, "alpha": 0.8, "eps": 0.01, "momentum": 0.7})
case("RMSPropTF", {**rms, "momentum": 0.7, "initialMean": 0}, "keras", keras.optimizers.RMSprop,
     {**k_lr, "rho": 0.8, "epsilon": 0.01, "momentum": 0.7})
case("RMSPropTF", {**rms, "momentum": 0.7, "initialMean": 0.5}, "optax", optax.rmsprop,
     {**o_lr, "decay": 0.8, "eps": 0.01, "momentum": 0.7, "initial_scale": 0.5})
case("RMSPropMomentum", {**rms, "momentum": 0.7}, "torch", torch.optim.RMSprop,
     {**t_lr, "alpha": 0.8, "eps": 0.01, "momentum": 0.7}, steps=[10], slowed=True)
case("RMSPropTF", {**rms, "momentum": 0.7, "initialMean": 0}, "keras", keras.optimizers.RMSprop,
     {**k_lr, "rho": 0.8, "epsilon": 0.01, "momentum": 0.7}, steps=[10], slowed=True)
adadelta = {"learningRate": 0.5, "decay": 0.8, **eps}
case("Adadelta", adadelta, "torch", torch.optim.Adadelta, {"lr": 0.5, "rho": 0.8, "eps": 0.01})
case("Adadelta", adadelta, "optax", optax.adadelta, {"learning_rate": 0.5, "rho": 0.8, "eps": 0.01})
case("Adadelta", adadelta, "keras", keras.optimizers.Adadelta, {"learning_rate": 0.5, "rho": 0.8, "epsilon": 0.01})
case("MADGRAD", {**lr, "momentum": 0.8, **eps, **decay}, "timm", timm.optim.MADGRAD,
     {**t_lr, "momentum": 0.8, "eps": 0.01, "weight_decay": 0.1})
case("FTRL", {**lr, "beta": 0.3, "l1": 0.05, "l2": 0.4, "initialAccumulator": 0.2}, "keras", keras.optimizers.Ftrl,
     {**k_lr, "initial_accumulator_value": 0.2, "l1_regularization_strength": 0.05, "l2_regularization_strength": 0.4, "beta": 0.3})
case("COCOB", {"alpha": 5, "epsilon": 0.3}, "optax", optax.contrib.cocob, {"alpha": 5, "eps": 0.3})

# Adam and its relatives
case("Adam", adam, "torch", torch.optim.Adam, t_adam)
case("Adam", adam, "optax", optax.adam, o_adam)
unlike("Adam", adam, "keras", keras.optimizers.Adam, k_adam)
case("AdamKeras", {**adam, "weightDecay": 0}, "keras", keras.optimizers.Adam, k_adam)
case("AdamKeras", adamw, "keras", keras.optimizers.AdamW, k_adamw)
case("AdamW", adamw, "torch", torch.optim.AdamW, t_adamw)
case("AdamW", adamw, "optax", optax.adamw, o_adamw)
case("AdamW", adamw, "timm", timm.optim.AdamWLegacy, t_adamw)
case("AdamW", adamw, "torch", torch.optim.AdamW, t_adamw, flat={"lr": 0.05, "weight_decay": 0.0, "betas": (0.7, 0.9)},
     groups={"learningRate": 0.05, "weightDecay": 0, "beta1": 0.7, "beta2": 0.9})
unlike("AdamW", adamw, "keras", keras.optimizers.AdamW, k_adamw)
case("AMSGrad", adam, "torch", torch.optim.Adam, {**t_adam, "amsgrad": True})
unlike("AMSGrad", adam, "optax", optax.amsgrad, o_adam)
unlike("AMSGrad", adam, "keras", keras.optimizers.Adam, {**k_adam, "amsgrad": True})
case("NAdam", {**adam, "momentumDecay": 0.1}, "torch", torch.optim.NAdam, {**t_adam, "momentum_decay": 0.1})
case("NAdam", {**adam, "momentumDecay": 1}, "keras", keras.optimizers.Nadam, k_adam)
unlike("NAdam", {**adam, "momentumDecay": 0}, "optax", optax.nadam, o_adam, called="nadam")
case("NAdamW", adamw, "timm", timm.optim.NAdamW, t_adamw)
unlike("NAdamW", adamw, "optax", optax.nadamw, o_adamw, called="nadamw")
case("RAdam", adamw, "torch", torch.optim.RAdam, {**t_adamw, "decoupled_weight_decay": True})
unlike("RAdam", {**adam, "weightDecay": 0}, "optax", optax.radam, o_adam)
case("Adamax", adam, "torch", torch.optim.Adamax, t_adam)
case("Adamax", adam, "optax", optax.adamax, o_adam)
unlike("Adamax", adam, "keras", keras.optimizers.Adamax, k_adam)
case("AdaBelief", {**adam, "weightDecay": 0}, "optax", optax.adabelief, {**o_adam, "eps_root": 0.01})
case("AdaBelief", adamw, "timm", timm.optim.AdaBelief, {**t_adamw, "rectify": False})
unlike("AdaBelief", adamw, "timm", timm.optim.AdaBelief, t_adamw)
case("ACProp", adamw, "optax", optax.contrib.acprop, {**o_adamw, "eps_root": 0.01})
case("Yogi", {**adam, "initialAccumulator": 1e-6}, "optax", optax.yogi, o_adam)
case("Yogi", {**adam, "initialAccumulator": 0.01}, "torch_optimizer", torch_optimizer.Yogi, {**t_adam, "initial_accumulator": 0.01})
adan = {**lr, "beta1": 0.8, "beta2": 0.7, "beta3": 0.95, **eps, **decay}
case("Adan", adan, "timm", timm.optim.Adan, {**t_lr, "betas": (0.8, 0.7, 0.95), "eps": 0.01, "weight_decay": 0.1})
unlike("Adan", adan, "optax", optax.adan, {**o_lr, "b1": 0.8, "b2": 0.7, "b3": 0.95, "eps": 0.01, "eps_root": 0.0, "weight_decay": 0.1})
case("AdEMAMix", {**adamw, "beta3": 0.97, "alpha": 3}, "optax", optax.contrib.ademamix, {**o_adamw, "b3": 0.97, "alpha": 3.0})
case("SimplifiedAdEMAMix", {**adamw, "alpha": 3}, "optax", optax.contrib.simplified_ademamix, {**o_adamw, "alpha": 3.0})
adopt = {**lr, **betas, "epsilon": 0.1, "clipExponent": 0.1, **decay}
case("ADOPT", adopt, "timm", timm.optim.Adopt,
     {**t_lr, "betas": (0.8, 0.95), "eps": 0.1, "weight_decay": 0.1, "clip_exp": 0.1, "decoupled": True})
case("ADOPT", {**adopt, "clipExponent": 0.25, "weightDecay": 0}, "optax", optax.contrib.adopt, {**o_adam, "eps": 0.1})
case("LaProp", adamw, "timm", timm.optim.LaProp, t_adamw)
case("QHAdam", {**adam, "nu1": 0.7, "nu2": 0.9}, "torch_optimizer", torch_optimizer.QHAdam, {**t_adam, "nus": (0.7, 0.9)})
case("AdaPNM", {**adamw, "beta0": 0.7}, "pytorch_optimizer", pytorch_optimizer.AdaPNM,
     {**t_lr, "betas": (0.8, 0.95, 0.7), "eps": 0.01, "weight_decay": 0.1})
case("AdaMod", {**adamw, "beta3": 0.9}, "torch_optimizer", torch_optimizer.AdaMod, {**t_adamw, "beta3": 0.9})
case("AdaBound", {**adam, "finalRate": 0.1, "gamma": 0.05}, "torch_optimizer", torch_optimizer.AdaBound,
     {**t_adam, "final_lr": 0.1, "gamma": 0.05})
case("DiffGrad", adam, "torch_optimizer", torch_optimizer.DiffGrad, t_adam)

# By layer
case("CautiousAdamW", adamw, "timm", timm.optim.AdamWLegacy, {**t_adamw, "caution": True})
stable = {**adamw, "clipThreshold": 0.8}
case("StableAdamW", stable, "timm", timm.optim.AdamWLegacy, {**t_adamw, "clipping_threshold": 0.8})
case("MARS", {**adamw, "gamma": 0.2}, "timm", timm.optim.Mars, {**t_adamw, "gamma": 0.2}, masks={"corrected": wide})
case("NovoGrad", adamw, "optax", optax.novograd, o_adamw)
case("NovoGrad", adamw, "timm", timm.optim.NvNovoGrad, t_adamw)
case("NovoGrad", adamw, "pytorch_optimizer", pytorch_optimizer.NovoGrad, t_adamw)
case("Fromage", {**lr, "minNorm": 0.3}, "optax", optax.fromage, {**o_lr, "min_norm": 0.3})
case("LAMB", adamw, "optax", optax.lamb, o_adamw, masks={"adapt": everywhere})
case("LAMB", adamw, "timm", timm.optim.Lamb, {**t_adamw, "max_grad_norm": None}, flat={"weight_decay": 0.0}, masks={"adapt": wide})
case("LAMB", {**adam, "weightDecay": 0}, "keras", keras.optimizers.Lamb, k_adam, masks={"adapt": everywhere})
unlike("LAMB", adamw, "keras", keras.optimizers.Lamb, k_adamw, masks={"adapt": everywhere})
unlike("LAMB", adamw, "timm", timm.optim.Lamb, {**t_adamw, "max_grad_norm": 0.5}, masks={"adapt": everywhere})
unlike("LAMB", adamw, "pytorch_optimizer", pytorch_optimizer.Lamb, t_adamw, masks={"adapt": everywhere})
case("LAMBKeras", adamw, "keras", keras.optimizers.Lamb, k_adamw)
for max_norm in [0.5, 1.1]:
    case("LAMBApex", {**adamw, "maxNorm": max_norm}, "timm", timm.optim.Lamb, {**t_adamw, "max_grad_norm": max_norm},
         flat={"weight_decay": 0.0}, masks={"adapt": wide})


def fused_lamb(lr, betas, eps, weight_decay, max_coeff, min_coeff):
    """csrc/lamb/fused_lamb_cuda_kernel.cu, in NumPy."""
    b1, b2 = betas

    def rule(w, g, state, t):
        state["m"] = b1 * state.get("m", 0) + (1 - b1) * g
        state["v"] = b2 * state.get("v", 0) + (1 - b2) * g * g
        update = state["m"] / (1 - b1**t) / (np.sqrt(state["v"] / (1 - b2**t)) + eps) + weight_decay * w
        norms = [np.sqrt(np.sum(x * x)) for x in [w, update]]
        coefficient = min(max(norms[0] / norms[1], min_coeff), max_coeff) if 0 not in norms else 1
        return w - lr * coefficient * update

    return rule


for low, high in [(1.4, 2.0), (0.4, 0.8)]:
    case("LAMBDeepSpeed", {**adamw, "minRatio": low, "maxRatio": high}, "deepspeed", fused_lamb,
         {**t_adamw, "max_coeff": high, "min_coeff": low}, called="the formulas of fused_lamb_cuda_kernel.cu: fused_lamb")
unlike("LAMBDeepSpeed", {**adamw, "minRatio": 0.4, "maxRatio": 0.8}, "optax", optax.lamb, o_adamw)
case("Amos", {**lr, "beta": 0.9, "momentum": 0.7, **eps, **decay, "rateFall": 3, "stepFall": 0.2}, "pytorch_optimizer", pytorch_optimizer.Amos,
     {**t_lr, "beta": 0.9, "momentum": 0.7, "eps": 0.01, "extra_l2": 0.1, "c_coef": 3, "d_coef": 0.2, "foreach": False}, turned=True)
lars = {"learningRate": 0.5, "momentum": 0.8, **decay, "trustCoefficient": 0.02, "epsilon": 0.001}
t_lars = {"lr": 0.5, "momentum": 0.8, "weight_decay": 0.1, "trust_coeff": 0.02, "eps": 0.001}
case("LARS", lars, "timm", timm.optim.Lars, t_lars, flat={"weight_decay": 0.0}, masks={"adapt": wide})
unlike("LARS", lars, "optax", optax.lars,
       {"learning_rate": 0.5, "weight_decay": 0.1, "trust_coefficient": 0.02, "eps": 0.001, "momentum": 0.8}, masks={"adapt": everywhere})
unlike("LARS", {**lars, "epsilon": 0}, "pytorch_optimizer", pytorch_optimizer.LARS,
       {"lr": 0.5, "momentum": 0.8, "weight_decay": 0.1, "trust_coefficient": 0.02}, masks={"adapt": wide})
unlike("LARS", lars, "timm", timm.optim.Lars, t_lars, flat={"weight_decay": 0.0}, masks={"adapt": wide}, slowed=True)
larc = {**lars, "learningRate": 0.04}
case("LARC", larc, "timm", timm.optim.Lars, {**t_lars, "lr": 0.04, "trust_clip": True}, flat={"weight_decay": 0.0}, masks={"adapt": wide})
unlike("LARC", larc, "timm", timm.optim.Lars, {**t_lars, "lr": 0.04}, flat={"weight_decay": 0.0}, masks={"adapt": wide})

# By model
case("ClippedAdamW", {**adamw, "maxNorm": 0.5}, "optax",
     lambda max_norm, **rest: optax.chain(optax.clip_by_global_norm(max_norm), optax.adamw(**rest)), {"max_norm": 0.5, **o_adamw},
     called="clip_by_global_norm, adamw", masks={"decayed": everywhere})
distance = {"learningRate": 0.7, **betas, **eps, **decay, "initialDistance": 0.001}
o_distance = {"learning_rate": 0.7, "betas": (0.8, 0.95), "eps": 0.01, "weight_decay": 0.1, "estim_lr0": 0.001}
case("Prodigy", {**distance, "coefficient": 1.3}, "optax", optax.contrib.prodigy, {**o_distance, "estim_lr_coef": 1.3})
unlike("Prodigy", {**distance, "coefficient": 1.3}, "pytorch_optimizer", pytorch_optimizer.Prodigy,
       {"lr": 0.7, "betas": (0.8, 0.95), "eps": 0.01, "weight_decay": 0.1, "d0": 0.001, "d_coef": 1.3})
case("DAdaptAdam", distance, "optax", optax.contrib.dadapt_adamw, o_distance)
case("DoG", {"learningRate": 0.7, "initialDistance": 0.01, **eps, **decay}, "optax", optax.contrib.dog,
     {"learning_rate": 0.7, "init_step": ("heuristic", 0.01), "eps": 0.01, "weight_decay": 0.1})
case("DoWG", {"learningRate": 0.7, "initialDistance": 0.04, **eps, **decay}, "optax", optax.contrib.dowg,
     {"learning_rate": 0.7, "init_estim_sq_dist": 0.04, "eps": 0.01, "weight_decay": 0.1})


# By channel
# Deltas near which some step turns to another of the three ways: by channel, by layer, not at all.
for nesterov, deltas in [(False, [0.9, 0.4]), (True, [0.8, 0.6])]:
    for delta in deltas:
        projected = {"delta": delta, "decayRatio": 0.3, "nesterov": nesterov}
        theirs = {"delta": delta, "wd_ratio": 0.3, "nesterov": nesterov}
        case("AdamP", {**adamw, **projected}, "timm", timm.optim.AdamP, {**t_adamw, **theirs}, turned=True)
        case("SGDP", {**lr, "momentum": 0.8, "dampening": 0.2, **eps, **decay, **projected}, "timm", timm.optim.SGDP,
             {**t_lr, "momentum": 0.8, "dampening": 0.2, "eps": 0.01, "weight_decay": 0.1, **theirs}, turned=True)
# The same with layers as they stand, where a channel is an input.
unlike("AdamP", {**adamw, "delta": 0.9, "decayRatio": 0.3}, "timm", timm.optim.AdamP, {**t_adamw, "delta": 0.9, "wd_ratio": 0.3})

# By row and column
adafactor = {**lr, "decay": 0.7, "epsilon1": 0.01, "epsilon2": 0.3, "clipThreshold": 0.7, **decay}
case("Adafactor", adafactor, "keras", keras.optimizers.Adafactor,
     {**k_lr, "beta_2_decay": -0.7, "epsilon_1": 0.01, "epsilon_2": 0.3, "clip_threshold": 0.7, "weight_decay": 0.1})
unlike("Adafactor", adafactor, "optax", optax.adafactor,
       {**o_lr, "min_dim_size_to_factor": 1, "decay_rate": 0.7, "eps": 0.01, "clipping_threshold": 0.7})
unlike("Adafactor", {**adafactor, "clipThreshold": 1}, "torch", torch.optim.Adafactor,
       {**t_lr, "beta2_decay": -0.7, "eps": (0.01, 0.3), "d": 1.0, "weight_decay": 0.1})
sm3 = {**lr, "momentum": 0.8, **eps}
case("SM3", sm3, "pytorch_optimizer", pytorch_optimizer.SM3, {**t_lr, "momentum": 0.8, "eps": 0.01}, apart=True)
unlike("SM3", sm3, "pytorch_optimizer", pytorch_optimizer.SM3, {**t_lr, "momentum": 0.8, "eps": 0.01})
unlike("SM3", sm3, "optax", optax.sm3, {**o_lr, "momentum": 0.8})
case("CAME", {**lr, **betas, "beta3": 0.9, "epsilon1": 0.01, "epsilon2": 0.001, "clipThreshold": 0.7, **decay},
     "pytorch_optimizer", pytorch_optimizer.CAME,
     {**t_lr, "betas": (0.8, 0.95, 0.9), "eps1": 0.01, "eps2": 0.001, "clip_threshold": 0.7, "weight_decay": 0.1},
     masks={"weighed": wide})

# Transforms, around SGD
def transformed(name, use, options, library, theirs, arguments, called, rule="w := w - learningRate * g", compare=case, **how):
    hypers = " ".join(f"hyper {key} = 1 in (0, inf)" for key in ["learningRate", *options])
    before, within = (use, "") if rule.endswith("* g") else ("", use)
    text = f'import {{ {name} }} from "std" optimizer Transformed {{ {hypers} {before} step(w, g) {{ u = g {within} {rule} }} }}'
    text = text if within else text.replace("u = g  ", "")
    compare(name, {**lr, **options}, library, theirs, {**arguments, **(k_lr if library == "keras" else {})}, called=called,
            program=text, **how)


def before_sgd(transform):
    return lambda **arguments: optax.chain(transform(**arguments), optax.sgd(0.02))


transformed("clipByGlobalNorm", "use clipByGlobalNorm(maxNorm)", {"maxNorm": 1.1}, "optax", before_sgd(optax.clip_by_global_norm),
            {"max_norm": 1.1}, "clip_by_global_norm")
transformed("clipByGlobalNorm", "use clipByGlobalNorm(maxNorm)", {"maxNorm": 1.1}, "keras", keras.optimizers.SGD,
            {"global_clipnorm": 1.1}, "SGD")
transformed("clipByLayerNorm", "use clipByLayerNorm(maxNorm)", {"maxNorm": 0.4}, "keras", keras.optimizers.SGD, {"clipnorm": 0.4}, "SGD")
transformed("clipByLayerRms", "use clipByLayerRms(maxRms)", {"maxRms": 0.1}, "optax", before_sgd(optax.clip_by_block_rms),
            {"threshold": 0.1}, "clip_by_block_rms")
transformed("clipByValue", "use clipByValue(limit)", {"limit": 0.1}, "optax", before_sgd(optax.clip), {"max_delta": 0.1}, "clip")
transformed("clipByValue", "use clipByValue(limit)", {"limit": 0.1}, "keras", keras.optimizers.SGD, {"clipvalue": 0.1}, "SGD")
transformed("normalizeByGlobalNorm", "use normalizeByGlobalNorm(epsilon)", {"epsilon": 0.1}, "optax",
            before_sgd(optax.normalize_by_update_norm), {"eps": 0.1}, "normalize_by_update_norm")
transformed("l2", "use l2(decay)", {"decay": 0.1}, "torch", torch.optim.SGD, {**t_lr, "weight_decay": 0.1}, "SGD")
transformed("trustRatio", "use trustRatio() on (u, w)", {}, "optax", before_sgd(optax.scale_by_trust_ratio), {},
            "scale_by_trust_ratio", "w := w - learningRate * u")



def after(change):
    """SGD of what `change(gradients, weights)` makes of the gradients, in place."""
    return {"library": "timm", "theirs": lambda params, **_: torch.optim.SGD(params, lr=0.02), "turned": True, "before": change}


agc = {"factor": 0.1, "epsilon": 0.3}
transformed("adaptiveClip", "use adaptiveClip(factor, epsilon)", agc, arguments={"clip_factor": 0.1, "eps": 0.3},
            called="adaptive_clip_grad", **after(lambda params: timm.utils.adaptive_clip_grad(params, clip_factor=0.1, eps=0.3)))
transformed("adaptiveClip", "use adaptiveClip(factor, epsilon)", agc, "optax", before_sgd(optax.adaptive_grad_clip),
            {"clipping": 0.1, "eps": 0.3}, "adaptive_grad_clip")
centralized = {**after(lambda params: [centralize_gradient(p.grad) for p in params]), "library": "pytorch_optimizer"}
transformed("centralize", "use centralize()", {}, arguments={}, called="centralize_gradient", **centralized)
transformed("centralize", "use centralize()", {}, "optax", before_sgd(optax.centralize), {}, "centralize", compare=unlike)

schedules = []


def schedule(text, library, called, value):
    """`value(t)` is what `text` is compared with, in each of 100 steps; kept for some of them."""
    at = [1, 2, 9, 10, 11, 33, 50, 60, 61, 99, 100]
    every = {t: float(value(t)) for t in range(1, 101)}
    schedules.append({"schedule": text, "library": library, "version": LIBRARIES[library], "call": called,
                      "values": {str(t): every[t] for t in at}})


def of_optax(text, make, **arguments):
    call = f"{make.__name__}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
    schedule(text, "optax", call, lambda t, f=make(**arguments): f(np.float64(t)))


of_optax("linear(start = 0.3, end = 0.05, total = 60)", optax.linear_schedule, init_value=0.3, end_value=0.05, transition_steps=60)
of_optax("polynomial(start = 0.3, end = 0.05, total = 60, power = 3)", optax.polynomial_schedule,
         init_value=0.3, end_value=0.05, power=3, transition_steps=60)
of_optax("stepDecay(start = 0.3, factor = 0.7, every = 11)", optax.exponential_decay,
         init_value=0.3, transition_steps=11, decay_rate=0.7, staircase=True)
of_optax("exponential(start = 0.3, factor = 0.7, every = 11)", optax.exponential_decay, init_value=0.3, transition_steps=11, decay_rate=0.7)
of_optax("cosine(start = 0.3, end = 0.03, total = 60)", optax.cosine_decay_schedule, init_value=0.3, decay_steps=60, alpha=0.1)
of_optax("warmup(peak = 0.3, steps = 60)", optax.linear_schedule, init_value=0.0, end_value=0.3, transition_steps=60)
of_optax("warmupCosine(peak = 0.3, warmup = 10, total = 60)", optax.warmup_cosine_decay_schedule,
         init_value=0.0, peak_value=0.3, warmup_steps=10, decay_steps=60)
of_optax("constant(rate = 0.3)", optax.constant_schedule, value=0.3)
schedule("warmupPolynomial(peak = 0.3, warmup = 10, total = 60, power = 3)", "optax",
         "join_schedules([linear_schedule(0, 0.3, 10), polynomial_schedule(0.3, 0, 3, 50)], [10])",
         optax.join_schedules([optax.linear_schedule(0.0, 0.3, 10), optax.polynomial_schedule(0.3, 0.0, 3, 50)], [10]))
# A factor that joins to any other.
for text, call, other in [
    ("cosine(start = 0.3, end = 0.03, total = 60)", "cosine_decay_schedule(0.3, 60, alpha=0.1)", optax.cosine_decay_schedule(0.3, 60, alpha=0.1)),
    ("exponential(start = 0.3, factor = 0.7, every = 11)", "exponential_decay(0.3, 11, 0.7)", optax.exponential_decay(0.3, 11, 0.7)),
]:
    warming = optax.linear_schedule(0.0, 1.0, 33)
    schedule(f"{text} * warming(steps = 33)", "optax", f"{call} * linear_schedule(0, 1, 33)",
             lambda t, other=other: np.float64(warming(np.float64(t))) * np.float64(other(np.float64(t))))


def of_timm(**arguments):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = timm.scheduler.wsd_lr.WSDLRScheduler(optimizer, **arguments)

    def value(t):
        scheduler.step(t)
        return optimizer.param_groups[0]["lr"]

    return value


schedule("inverseSquareRoot(peak = 0.3, warmup = 10)", "timm", "WSDLRScheduler(stable_fn=rsqrt, warmup_t=10)",
         of_timm(stable_fn="rsqrt", warmup_t=10, t_initial=1000, decay_t=1))


def of_torch(make, first, **arguments):
    """What torch's scheduler gives, from the step that it counts as `first` on."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = make(optimizer, **arguments)
    rates = []
    for _ in range(100 + first):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < arguments.get("total_steps", 1000):
            scheduler.step()
    return lambda t: rates[t - 1 + first]


schedule("cosineRestarts(start = 0.3, end = 0.03, period = 11)", "torch", "CosineAnnealingWarmRestarts(T_0=11, eta_min=0.03)",
         of_torch(torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, 1, T_0=11, eta_min=0.03))
schedule("oneCycle(start = 0.03, peak = 0.3, end = 0.0003, total = 100, rise = 0.33)", "torch",
         "OneCycleLR(max_lr=0.3, total_steps=100, pct_start=0.33, div_factor=10, final_div_factor=100)",
         of_torch(torch.optim.lr_scheduler.OneCycleLR, 0, max_lr=0.3, total_steps=100, pct_start=0.33, div_factor=10, final_div_factor=100))

# How far the noise of each step may be expected to go: what it is made of differs from one library to the next.
deviations = []


def deviation(program, called, eta, gamma):
    noises = [optax.add_noise(*arguments, 7) for arguments in [(eta, gamma), (1.0, 0.0)]]
    states = [noise.init(np.zeros(1)) for noise in noises]
    values = {}
    for t in range(1, 101):
        (x, states[0]), (unit, states[1]) = [noise.update(np.zeros(1), state) for noise, state in zip(noises, states)]
        if t in STEPS:
            values[str(t)] = float(x[0] / unit[0])
    deviations.append({"transform": program, "library": "optax", "version": LIBRARIES["optax"], "call": called, "values": values})


deviation("gradientNoise(eta = 0.3, gamma = 0.7)", "add_noise(eta=0.3, gamma=0.7)", 0.3, 0.7)

# One case a line, so that a change reads as one.
layers = json.dumps([{"name": n, "shape": s} for n, s in LAYERS])
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
more = ",\n".join(json.dumps(s, separators=(",", ":")) for s in schedules)
noises = ",\n".join(json.dumps(d, separators=(",", ":")) for d in deviations)
sys.stdout.write(f'{{"layers": {layers}, "cases": [\n{lines}\n], "schedules": [\n{more}\n], "deviations": [\n{noises}\n]}}\n')
