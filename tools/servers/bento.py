# Copyright (C) the modelguard authors

"""A BentoML service around the tiny classifier of model.py."""

import os

import bentoml
import joblib
import numpy


@bentoml.service(workers=1)
class Tiny:
    def __init__(self):
        self.model = joblib.load(os.environ["TINY_MODEL"])

    @bentoml.api
    def predict(self, features: list[list[float]]) -> dict:
        scores = self.model.predict_proba(numpy.array(features))

        return {"probabilities": scores.tolist(),
                "prediction": scores.argmax(axis=1).tolist()}
