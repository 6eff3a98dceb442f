"""Write what frameworks compute: ``python tests/normalization/references/make.py torch keras``.

Each file of numbers says which version it is of. All inputs are in it too, so that no test depends
on how random numbers are drawn. Keras runs on TensorFlow: on other backends it computes in float32,
and on PyTorch's takes the square of the mean from the mean of squares.
"""

import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
N_BATCHES, ROWS, FEATURES, STEPS = 50, 6, 4, 3
EPSILON = 1e-5


def draw():
    """Inputs of everything: batches that drift, a few rows, and series of them."""
    random = np.random.default_rng(0)
    drift = np.linspace(0, 2, N_BATCHES)[:, None, None]
    batches = drift + random.normal(size=(N_BATCHES, ROWS, FEATURES)) * [1.0, 0.01, 30.0, 2.0]
    X, dY = random.normal(size=(2, ROWS, FEATURES))
    series, d_series = random.normal(size=(2, ROWS, STEPS, FEATURES))
    return {
        "batches": batches,
        "X": 3 + 2 * X,
        "dY": dY,
        "series": 1 + series,
        "d_series": d_series,
        "gamma": random.normal(size=FEATURES),
        "beta": random.normal(size=FEATURES),
        "g": random.normal(size=ROWS),
        "known_mean": np.array([0.0, 0.5, 0.0, 1.0]),
        "known_var": np.array([1.0, 1e-4, 2e4, 1e-3]),
    }


def torch_numbers(given):
    """Outputs, running statistics and gradients of PyTorch, by name."""
    import torch

    inputs = {name: torch.from_numpy(values) for name, values in given.items()}
    found = {}

    def record(name, make, X, dY, *parameters):
        leaves = [part.clone().requires_grad_() for part in (X, *parameters)]
        Y = make(*leaves)
        gradients = torch.autograd.grad(Y, leaves, dY)
        for part, value in zip(("Y", "dX", "dgamma", "dbeta"), (Y, *gradients), strict=False):
            found[f"{name}/{part}"] = value.detach().numpy()

    functional = torch.nn.functional
    affine = inputs["gamma"], inputs["beta"]
    plain = inputs["X"], inputs["dY"]
    for momentum in (0.1, 1.0, None):
        layer = torch.nn.BatchNorm1d(FEATURES, momentum=momentum, dtype=torch.float64)
        layer.weight.data, layer.bias.data = (part.clone() for part in affine)
        of_batches = {"mean": [], "var": [], "Y": [], "dX": [], "dgamma": [], "dbeta": []}
        for batch in inputs["batches"]:
            X = batch.clone().requires_grad_()
            Y = layer(X)
            gradients = torch.autograd.grad(Y, (X, layer.weight, layer.bias), inputs["dY"])
            statistics = layer.running_mean, layer.running_var
            for part, value in zip(of_batches, (*statistics, Y, *gradients), strict=True):
                of_batches[part].append(value.detach().numpy().copy())
        layer.eval()
        for part, values in of_batches.items():
            if part in ("mean", "var") or momentum == 0.1:  # the others do not depend on it
                found[f"BatchNorm1d, momentum {momentum}/{part}"] = np.array(values)
        mean, var = layer.running_mean, layer.running_var

        def evaluate(X, gamma, beta, mean=mean, var=var):
            return functional.batch_norm(X, mean, var, gamma, beta)

        record(f"BatchNorm1d, momentum {momentum}, eval", evaluate, *plain, *affine)
    record("LayerNorm", lambda X, *by: functional.layer_norm(X, (FEATURES,), *by), *plain, *affine)
    record("RMSNorm", lambda X, by: rms_norm(functional, X, by), *plain, affine[0])
    record("GroupNorm", lambda X, *by: functional.group_norm(X, 2, *by), *plain, *affine)

    def instance_norm(X, gamma, beta):
        return functional.instance_norm(X.transpose(1, 2), weight=gamma, bias=beta).transpose(1, 2)

    record("InstanceNorm1d", instance_norm, inputs["series"], inputs["d_series"], *affine)
    unbatched = torch.nn.InstanceNorm1d(ROWS, dtype=torch.float64)
    record("InstanceNorm1d, two dimensions", unbatched, *plain)

    def weight_norm(V, g):
        return torch._weight_norm(V, g[:, None], 0)

    record("weight_norm", weight_norm, *plain, inputs["g"])
    return found, torch.__version__


def rms_norm(functional, X, gamma):
    return functional.rms_norm(X, (FEATURES,), gamma, eps=EPSILON)


def keras_numbers(given):
    """Outputs, statistics and gradients of Keras's BatchNormalization, by name.

    Renormalization has the same known statistics for every batch; Keras keeps the standard
    deviation with epsilon in it.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow

    def in_training(prepare, names, **more):
        layer = keras.layers.BatchNormalization(epsilon=EPSILON, dtype="float64", **more)
        layer.build((None, FEATURES))
        layer.gamma.assign(given["gamma"])
        layer.beta.assign(given["beta"])
        found = {name: [] for name in names}
        for batch in given["batches"]:
            prepare(layer)
            X = tensorflow.constant(batch)
            with tensorflow.GradientTape() as tape:
                tape.watch(X)
                Y = layer(X, training=True)
            leaves = X, layer.gamma.value, layer.beta.value
            gradients = tape.gradient(Y, leaves, output_gradients=tensorflow.constant(given["dY"]))
            of_batch = Y, *gradients, layer.moving_mean.value, layer.moving_variance.value
            for name, value in zip(names, of_batch, strict=False):
                found[name].append(value.numpy())
        return layer, {name: np.array(values) for name, values in found.items()}

    def know(layer):
        layer.renorm_mean.assign(given["known_mean"])
        layer.renorm_stddev.assign(np.sqrt(given["known_var"] + EPSILON))

    outputs = ("Y", "dX", "dgamma", "dbeta")
    layer, plain = in_training(lambda layer: None, (*outputs, "mean", "var"), momentum=0.99)
    clipping = {"rmax": 3.0, "rmin": 1 / 3.0, "dmax": 5.0}
    _, renorm = in_training(know, outputs, renorm=True, renorm_clipping=clipping)
    found = {f"BatchNormalization/{name}": values for name, values in plain.items()}
    found |= {f"BatchNormalization, renorm/{name}": values for name, values in renorm.items()}
    Y = layer(tensorflow.constant(given["X"]), training=False)
    found["BatchNormalization, inference/Y"] = Y.numpy()
    return found, f"{keras.__version__}, TensorFlow {tensorflow.__version__}"


NUMBERS = {"torch": torch_numbers, "keras": keras_numbers}


def write(name, given, found, version):
    """Store numbers with the version of what computed them."""
    np.savez_compressed(HERE / f"{name}.npz", version=version, **given, **found)


if __name__ == "__main__":
    given = draw()
    for name in sys.argv[1:] or NUMBERS:
        write(name, given, *NUMBERS[name](given))
