"""The network and the objective of src/model/convolutional in Keras, to time its training: 64 views a step, on one core.

    pip install numpy tensorflow-cpu
    python convolutional_keras.py

Layers as there: convolutions whose stride is their kernel, 3x3 convolutions, places normalised to a root mean square of
one, a palette of colours as a softmax, transposed convolutions back; the mean squared error of the pictures and NT-Xent
over the textures; AdamW. Random views are prepared in advance: that is not timed here, but it is part of the Rust figure.
"""
import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, ops

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
VIEWS, COLOURS, TEXTURES, LAYOUT = 64, 96, 48, 48
SHORT, LONG = 5, 45


def normalised(x):
    return x / ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-3)


def unit(x):
    return x / ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-6)


def conv(filters, kernel, stride, x, activation="relu"):
    return layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False, activation=activation)(x)


def back(filters, x, activation="relu"):
    return layers.Conv2DTranspose(filters, 2, strides=2, use_bias=False, activation=activation)(normalised(x))


class Palette(layers.Layer):
    def build(self, _):
        self.palette = self.add_weight(shape=(COLOURS, 3), initializer="random_uniform")

    def call(self, pixels):
        flat = ops.reshape(pixels, (-1, 3))
        squares = ops.sum(ops.square(flat), 1, keepdims=True) + ops.sum(ops.square(self.palette), 1)[None]
        distances = squares - 2 * ops.matmul(flat, ops.transpose(self.palette))
        shares = ops.reshape(ops.softmax(-120.0 * distances), (VIEWS, -1, COLOURS))
        return unit((ops.mean(shares, 1) + 1e-5) ** 0.3)


def network():
    lab, sample = layers.Input((56, 56, 3), VIEWS), layers.Input((28, 28, 3), VIEWS)
    fine = conv(32, 3, 1, normalised(conv(32, 4, 4, normalised(lab))))
    coarse = conv(64, 2, 2, normalised(fine))
    around = conv(64, 3, 1, normalised(coarse))
    means = ops.concatenate([unit(ops.mean(m, (1, 2))) for m in (fine, coarse, around)], 1)
    textures = unit(layers.Dense(TEXTURES, use_bias=False)(means))
    layout = unit(layers.Dense(LAYOUT, use_bias=False)(layers.Flatten()(coarse)))
    code = ops.concatenate([Palette()(sample), 0.3 * textures, 0.15 * layout], 1)
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu", use_bias=False)(4 * code))
    x = conv(32, 3, 1, normalised(back(32, x)))
    painted = back(3, back(32, x), "sigmoid")
    return tf.keras.Model([lab, sample], [painted, textures])


def telling_apart(rows):
    products = ops.matmul(rows, ops.transpose(rows)) / 0.2 - 1e4 * ops.eye(VIEWS)
    partners = (np.arange(VIEWS) + VIEWS // 2) % VIEWS
    return ops.mean(tf.nn.sparse_softmax_cross_entropy_with_logits(partners, products))


if __name__ == "__main__":
    model = network()
    optimizer = tf.keras.optimizers.AdamW(2e-3, weight_decay=1e-3, beta_2=0.99)
    random = np.random.default_rng(1)
    views = random.random((VIEWS, 56, 56, 3), np.float32)

    @tf.function
    def step(lab, sample, rgb):
        with tf.GradientTape() as tape:
            painted, textures = model([lab, sample])
            loss = ops.mean(ops.square(painted - rgb)) + telling_apart(textures)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights))

    def train(steps):
        start, cpu = time.time(), time.process_time()
        for _ in range(steps):
            step(views, views[:, ::2, ::2], views)
        return time.time() - start, time.process_time() - cpu

    train(SHORT)
    took, cpu = train(LONG)
    print(f"Keras: {LONG * VIEWS / cpu:.0f} training pictures a CPU second, {LONG * VIEWS / took:.0f} a second")
