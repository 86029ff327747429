# Copyright (C) the modelguard authors

"""Makes the tiny classifier that the servers serve, in the form that each of
them wants: 4 features, 3 classes, trained in a moment on made-up points.

    model.py joblib PATH | mlflow DIRECTORY"""

import sys

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

form, path = sys.argv[1:]

points, classes = make_classification(
    200, 4, n_informative=3, n_redundant=0, n_classes=3, random_state=0)

model = LogisticRegression().fit(points, classes)

if form == "joblib":
    import joblib

    joblib.dump(model, path)

else:
    import mlflow.sklearn

    mlflow.sklearn.save_model(model, path, pyfunc_predict_fn="predict_proba")
