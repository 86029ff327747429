# Copyright (C) the modelguard authors

"""Triton Inference Server, through PyTriton, with a linear softmax model:
4 features, 3 classes.

    triton.py HTTP-PORT GRPC-PORT METRICS-PORT"""

import sys

import numpy
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

WEIGHTS = numpy.array([[0.3, -0.2, 0.7], [0.1, 0.9, -0.4],
                       [-0.5, 0.2, 0.3], [0.8, -0.6, 0.1]], numpy.float32)


@batch
def infer(INPUT):
    odds = numpy.exp(INPUT @ WEIGHTS)

    return [(odds / odds.sum(axis=1, keepdims=True)).astype(numpy.float32)]


http, grpc, metrics = map(int, sys.argv[1:])

triton = Triton(config=TritonConfig(
    http_address="127.0.0.1", grpc_address="127.0.0.1", http_port=http,
    grpc_port=grpc, metrics_port=metrics))

triton.bind(model_name="tiny", infer_func=infer,
            inputs=[Tensor(name="INPUT", dtype=numpy.float32, shape=(4,))],
            outputs=[Tensor(name="OUTPUT", dtype=numpy.float32, shape=(3,))],
            config=ModelConfig(max_batch_size=8))

triton.serve()
