# %% [markdown]
# Wrong answers to lesson 06, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="konrad-kernels" exercise="receptive_field" mistake="kernel in place of kernel - 1" lost="one, stack, stride, dilation, gaps, together" words="adds the kernels' sizes" follows="input_window: basic, stride, padding, dilation, together; stack_compare: one, stack, mixed"
@answer
def receptive_field(layers):
    r = 1
    j = 1
    for k, s, d in layers:
        effective = k + (k - 1) * (d - 1)
        r = r + effective * j
        j = j * s
    return r

# %% student="olga-own" exercise="receptive_field" mistake="own stride included" lost="one, stride, gaps, together" words="multiplies by the layer's own stride first" follows="input_window: stride, padding, together"
@answer
def receptive_field(layers):
    """One axis."""
    field = 1
    product = 1
    for layer in layers:
        kernel, stride, dilation = layer
        product *= stride
        field += (kernel - 1) * dilation * product
    return field

# %% student="richard-reverse" exercise="receptive_field" mistake="order reversed" lost="stride, gaps, together" words="starts at the output but counts as if from the input" follows="input_window: stride, padding, together"
@answer
def receptive_field(layers):
    size = 1
    jump = 1
    for k, s, d in reversed(layers):
        size = size + (k - 1) * d * jump
        jump = jump * s
    return size

# %% student="selma-strides" exercise="receptive_field" lost="stride, gaps, together" words="adds the strides up where they multiply, which no known mistake explains" follows="input_window: stride, padding, together"
@answer
def receptive_field(layers):
    strides = [s for _, s, _ in layers]
    r = 1
    for u, (k, s, d) in enumerate(layers):
        steps = 1 if u == 0 else sum(strides[:u]) - (u - 1)
        r += d * (k - 1) * steps
    return r

# %% student="ida-inclusive" exercise="input_window" mistake="end included" lost="basic, stride, padding, dilation, together" words="returns the last pixel, not the one after it"
@answer
def input_window(layers, row, col):
    top = bottom = row
    left = right = col
    for k, s, p, d in layers[::-1]:
        top, left = top * s - p, left * s - p
        bottom = bottom * s - p + d * (k - 1)
        right = right * s - p + d * (k - 1)
    return (top, bottom), (left, right)

# %% student="paula-pixels" exercise="input_window" mistake="padding in pixels" lost="padding, together" words="subtracts the paddings without the jump"
@answer
def input_window(layers, row, col):
    size, jump, offset = 1, 1, 0
    for k, s, p, d in layers:
        size += d * (k - 1) * jump
        jump *= s
        offset += p
    first_row, first_col = row * jump - offset, col * jump - offset
    return (first_row, first_row + size), (first_col, first_col + size)

# %% student="claas-clip" exercise="input_window" mistake="cut at the border" lost="padding, together" words="cuts the window off at the image's border"
@answer
def input_window(layers, row, col):
    def one(i):
        lo, hi = i, i + 1
        for k, s, p, d in reversed(layers):
            lo, hi = lo * s - p, (hi - 1) * s - p + d * (k - 1) + 1
        return max(0, lo), hi

    return one(row), one(col)

# %% student="mirko-middle" exercise="input_window" mistake="centred on the unit" lost="basic, stride, padding, dilation, together" words="puts the window around the unit, whatever the padding"
@answer
def input_window(layers, row, col):
    size = receptive_field([(k, s, d) for k, s, p, d in layers])
    jump = 1
    for _, s, _, _ in layers:
        jump *= s
    half = (size - 1) // 2
    result = []
    for centre in (row * jump, col * jump):
        result.append((centre - half, centre - half + size))
    return tuple(result)

# %% student="frieda-first" exercise="gradient_footprint" mistake="first channel only" lost="channels" words="changes the first channel only"
@answer
def gradient_footprint(forward, x_shape, row, col):
    x = np.zeros(x_shape)
    base = forward(x)[0, :, row, col]
    H, W = x_shape[2:]
    mask = np.zeros((H, W), dtype=bool)
    for i in range(H):
        for j in range(W):
            x2 = x.copy()
            x2[0, 0, i, j] = 1.0
            mask[i, j] = (forward(x2)[0, :, row, col] != base).any()
    return mask

# %% student="tilda-together" exercise="gradient_footprint" mistake="all channels moved together" lost="channels" words="changes all channels of a pixel at once"
@answer
def gradient_footprint(forward, x_shape, row, col):
    rng = np.random.default_rng(1)
    x = rng.random(x_shape)
    out = forward(x)
    seen = np.zeros(x_shape[2:], bool)
    for i, j in np.ndindex(seen.shape):
        poked = np.array(x)
        poked[0, :, i, j] += 1
        moved = forward(poked) - out
        seen[i, j] = np.abs(moved[0, :, row, col]).max() > 1e-6
    return seen

# %% student="stefan-sum" exercise="gradient_footprint" mistake="filters added up" lost="filters" words="adds up the gradients of all filters"
@answer
def gradient_footprint(forward, x_shape, row, col):
    eps = 1e-3
    x = np.zeros(x_shape)
    grad = np.zeros(x_shape)
    for index in np.ndindex(*x_shape):
        up, down = x.copy(), x.copy()
        up[index] += eps
        down[index] -= eps
        change = forward(up)[0, :, row, col].sum() - forward(down)[0, :, row, col].sum()
        grad[index] = change / (2 * eps)
    return (np.abs(grad[0]) > 1e-6).any(axis=0)

# %% student="zeno-zero" exercise="gradient_footprint" mistake="compared with zero" lost="borders" words="asks whether the output is zero"
@answer
def gradient_footprint(forward, x_shape, row, col):
    _, C, H, W = x_shape
    images = np.eye(C * H * W).reshape(-1, C, H, W)
    out = forward(images)[:, :, row, col]
    return (out != 0).any(axis=1).reshape(C, H, W).any(axis=0)

# %% student="tom-tiny" exercise="gradient_footprint" lost="basic, borders, stacks, gaps, channels, filters" words="takes a step so small that np.isclose calls every output the same"
@answer
def gradient_footprint(forward, x_shape, row, col):
    x = np.ones(x_shape)
    before = forward(x)[0, :, row, col]
    seen = np.zeros(x_shape[2:], bool)
    for c, i, j in np.ndindex(x_shape[1:]):
        moved = x.copy()
        moved[0, c, i, j] += 1e-9
        if not np.isclose(forward(moved)[0, :, row, col], before).all():
            seen[i, j] = True
    return seen

# %% student="chris-channels" exercise="stack_compare" mistake="channels once" lost="one, stack, mixed" words="multiplies by the channels once"
@answer
def stack_compare(kernels, channels):
    rf = 1
    params = 0
    for k in kernels:
        rf += k - 1
        params += k * k * channels
    return rf, params

# %% student="bianca-biases" exercise="stack_compare" mistake="biases counted" lost="one, stack, mixed" words="counts a bias for each filter"
@answer
def stack_compare(kernels, channels):
    weights = 0
    for k in kernels:
        weights = weights + channels * (k**2 * channels + 1)
    return receptive_field([(k, 1, 1) for k in kernels]), weights
