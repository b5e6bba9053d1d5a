"""The base class of all layers, and networks made of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np


class Layer:
    """One step of a network: `forward` computes its output, `backward` the gradients of its input and arrays.

    parameters: name -> array that is learned; gradients: name -> the loss's gradient by it, from the last
    `backward`; buffers: name -> array that is kept but not learned; training: whether it behaves as in
    training (dropout drops, batch norm takes the batch's own statistics).
    """

    def __init__(self) -> None:
        self.parameters: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}
        self.buffers: dict[str, np.ndarray] = {}
        self.training = True
        self._x: np.ndarray | None = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output for a batch x, and remember x for `backward`."""
        raise NotImplementedError

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient by the input of the last `forward`, and fill `gradients`."""
        raise NotImplementedError

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.forward(x)

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """Walk over this layer and those inside it, each with the path of its name ("" for itself)."""
        yield "", self

    def train(self, training: bool = True) -> Layer:
        """Have this layer and those inside it behave as in training, or not; return it."""
        for _, layer in self.layers():
            layer.training = training
        return self

    def eval(self) -> Layer:
        """Have this layer and those inside it behave as in use, not as in training; return it."""
        return self.train(False)

    def state(self) -> dict[str, np.ndarray]:
        """Return every parameter and buffer, copied, by its full name such as "conv1.w"."""
        return {name: arrays[key].copy() for name, arrays, key in self._arrays()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned; raise ValueError where a name or shape differs."""
        arrays = {name: (home, key) for name, home, key in self._arrays()}
        if arrays.keys() != state.keys():
            odd = ", ".join(sorted(arrays.keys() ^ state.keys()))
            raise ValueError(f"the network and the weights differ in {odd}")
        for name, (home, key) in arrays.items():
            if home[key].shape != state[name].shape:
                raise ValueError(f"{name} has shape {state[name].shape}, the network's {home[key].shape}")
        for name, (home, key) in arrays.items():
            home[key] = np.array(state[name], dtype=home[key].dtype)

    @property
    def size(self) -> int:
        """The number of learned parameters."""
        return sum(a.size for _, layer in self.layers() for a in layer.parameters.values())

    def _arrays(self) -> Iterator[tuple[str, dict[str, np.ndarray], str]]:
        for path, layer in self.layers():
            for home in (layer.parameters, layer.buffers):
                for key in home:
                    yield f"{path}.{key}".lstrip("."), home, key

    def _remembered(self) -> np.ndarray:
        if self._x is None:
            raise RuntimeError(f"call forward before backward: {type(self).__name__} remembers no input")
        return self._x


class Sequential(Layer):
    """Layers one after the other, each with a name: Sequential(conv1=Conv2d(...), relu1=ReLU(), ...)."""

    def __init__(self, **named: Layer) -> None:
        super().__init__()
        self.named = named

    def forward(self, x: np.ndarray) -> np.ndarray:
        for layer in self.named.values():
            x = layer(x)
        return x

    def backward(self, dout: np.ndarray) -> np.ndarray:
        for layer in reversed(self.named.values()):
            dout = layer.backward(dout)
        return dout

    def layers(self) -> Iterator[tuple[str, Layer]]:
        yield "", self
        for name, layer in self.named.items():
            for path, inner in layer.layers():
                yield f"{name}.{path}".rstrip("."), inner

    def __getattr__(self, name: str) -> Layer:
        named = self.__dict__.get("named", {})
        if name not in named:
            raise AttributeError(f"there is no layer {name!r}; the layers are {', '.join(named) or 'none'}")
        return named[name]


class Flatten(Layer):
    """Make a vector of each image: (N, C, H, W) to (N, C*H*W)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return x.reshape(len(x), -1)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return dout.reshape(self._remembered().shape)
