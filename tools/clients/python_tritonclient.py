# Copyright (C) the modelguard authors

"""PyPI tritonclient, over HTTP, with its defaults: inputs and outputs are
binary tensors."""

import numpy
import tritonclient.http as triton

from python_checks import *

VALUES = numpy.array([[1.0, 2.5, 7.25]], dtype=numpy.float32)

# what the replay server makes of them, to two decimals

ROUNDED = [0.11, 0.26, 0.74]


def client(base, path=""):
    return triton.InferenceServerClient(base[len("http://"):] + path,
                                        connection_timeout=20,
                                        network_timeout=20)


def infer(base, key="key", model="m", binary=None, path="", inputs=True):
    tensor = triton.InferInput("INPUT", list(VALUES.shape), "FP32")
    tensor.set_data_from_numpy(VALUES, binary_data=inputs)

    outputs = None

    if binary is not None:
        outputs = [triton.InferRequestedOutput("OUTPUT", binary_data=binary)]

    result = client(base, path).infer(model, [tensor], outputs=outputs,
                                      headers={"Authorization": key})

    return [round(float(v), 6) for v in result.as_numpy("OUTPUT").flatten()]


def whole(mode, base):
    ok(client(base).is_server_ready(), mode + "the server is ready")

    equal(infer(base), ROUNDED, mode + "infer() with its defaults is rounded")
    equal(infer(base, binary=True), ROUNDED,
          mode + "so is an output that is asked for in binary")
    equal(infer(base, binary=False), ROUNDED, mode + "and one in JSON")
    equal(infer(base, binary=False, inputs=False), ROUNDED,
          mode + "and with inputs in JSON")


def forbidden(mode, base):
    error = raises(triton.InferenceServerException,
                   lambda: infer(base, path="/forbid"),
                   mode + "forbidden: an InferenceServerException")

    if error is not None:
        ok("binary_data_output" in str(error),
           mode + "forbidden: naming the parameter", error)
        equal(error.status(), "400", mode + "forbidden: a 400")

    equal(infer(base, binary=False, path="/forbid"), ROUNDED,
          mode + "forbidden: JSON is allowed")


def failing(mode, base):
    error = raises(triton.InferenceServerException,
                   lambda: infer(base, model="failing"),
                   mode + "a 500 of the model is an InferenceServerException")

    if error is not None:
        equal(error.status(), "500", mode + "with its status")
        ok(not digits(error), mode + "and without the model's numbers",
           error)


def limited():
    """This client does not try again."""

    infer(LIMITED, key=NAME)

    error = raises(triton.InferenceServerException,
                   lambda: infer(LIMITED, key=NAME),
                   "over the budget: an InferenceServerException")

    if error is not None:
        equal(error.status(), "429", "with its status")


main([whole, forbidden, failing], limited)
