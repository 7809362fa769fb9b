"""scikit-learn's estimators and metrics on tensors, by its array API dispatch, give what they give of arrays."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = r"""
import json, sys, warnings
import numpy as np
import tensorcore as tc
from sklearn import metrics, set_config
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeCV
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import *

warnings.simplefilter("ignore")
set_config(array_api_dispatch=True)
X, y = make_classification(120, 8, random_state=0)
U, v = make_regression(120, 8, random_state=0)
lda = LinearDiscriminantAnalysis
cases = {
    **{scaler.__name__: (lambda X, y, U, v, scaler=scaler: scaler().fit_transform(X))
       for scaler in (StandardScaler, MinMaxScaler, MaxAbsScaler, Normalizer, Binarizer, PolynomialFeatures)},
    "LabelEncoder": lambda X, y, U, v: LabelEncoder().fit_transform(y),
    "LabelBinarizer": lambda X, y, U, v: LabelBinarizer().fit_transform(y),
    "KernelCenterer": lambda X, y, U, v: KernelCenterer().fit_transform(X @ X.T),
    **{"PCA " + solver: (lambda X, y, U, v, solver=solver: abs(PCA(3, svd_solver=solver).fit_transform(X)))
       for solver in ("full", "covariance_eigh")},
    "PCA whitened": lambda X, y, U, v: abs(PCA(3, svd_solver="full", whiten=True).fit(X).components_),
    "PCA randomized": lambda X, y, U, v: abs(PCA(3, svd_solver="randomized", power_iteration_normalizer="QR",
                                                 random_state=0).fit_transform(X)),
    "LDA probabilities": lambda X, y, U, v: lda().fit(X, y).predict_proba(X),
    "LDA classes": lambda X, y, U, v: lda().fit(X, y).predict(X),
    "Ridge": lambda X, y, U, v: Ridge(solver="svd").fit(U, v).predict(U),
    "RidgeCV": lambda X, y, U, v: RidgeCV().fit(U, v).coef_,
    "RidgeClassifier": lambda X, y, U, v: RidgeClassifier(solver="svd").fit(X, y).predict(X),
    "LogisticRegression": lambda X, y, U, v: LogisticRegression(solver="lbfgs").fit(X, y).predict_proba(X),
    "GaussianNB": lambda X, y, U, v: GaussianNB().fit(X, y).predict_proba(X),
    "GaussianMixture": lambda X, y, U, v: GaussianMixture(2, init_params="random", random_state=0).fit(X).means_,
    "train_test_split": lambda X, y, U, v: train_test_split(X, y, random_state=0, stratify=y)[0],
    "cross_val_predict": lambda X, y, U, v: cross_val_predict(lda(), X, y),
    "pipeline": lambda X, y, U, v: make_pipeline(StandardScaler(), PCA(3, svd_solver="full"), lda()).fit(X, y)
                                   .predict(X),
    "grid search": lambda X, y, U, v: GridSearchCV(Ridge(solver="svd"), {"alpha": [0.1, 1.0]}).fit(U, v).best_score_,
    **{name: (lambda X, y, U, v, name=name: getattr(metrics, name)(y, y[list(range(1, 120)) + [0]]))
       for name in ("accuracy_score", "balanced_accuracy_score", "f1_score", "precision_score", "recall_score",
                    "zero_one_loss", "hamming_loss", "jaccard_score", "confusion_matrix", "cohen_kappa_score")},
    "roc_auc_score": lambda X, y, U, v: metrics.roc_auc_score(y, X[:, 1]),
    "log_loss": lambda X, y, U, v: metrics.log_loss(y, (X[:, 1] - X[:, 1].min()) / (X[:, 1].max() - X[:, 1].min())),
    **{name: (lambda X, y, U, v, name=name: getattr(metrics, name)(abs(v), abs(v) + abs(U[:, 0])))
       for name in ("r2_score", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "max_error",
                    "mean_absolute_percentage_error", "explained_variance_score", "mean_tweedie_deviance",
                    "mean_pinball_loss", "median_absolute_error", "mean_squared_log_error", "d2_absolute_error_score")},
    **{name: (lambda X, y, U, v, name=name: getattr(metrics.pairwise, name)(abs(X[:20]), abs(X[20:30])))
       for name in ("cosine_similarity", "euclidean_distances", "linear_kernel", "rbf_kernel", "polynomial_kernel",
                    "manhattan_distances", "cosine_distances", "chi2_kernel", "laplacian_kernel")},
}
found = {}
for name, case in cases.items():
    try:
        want = np.asarray(case(X, y, U, v))
        got = case(*(tc.tensor(each) for each in (X, y, U, v)))
        # What is an array for arrays is a tensor for tensors.
        kept = isinstance(got, tc.Tensor) or want.ndim == 0
        same = kept and np.allclose(np.asarray(got), want, rtol=1e-6, atol=1e-9)
        found[name] = "" if same else f"{got} for {want}"[:500]
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"[:500]
print(json.dumps(found))
"""
NAMES = [
    "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "Normalizer", "Binarizer", "PolynomialFeatures", "LabelEncoder",
    "LabelBinarizer", "KernelCenterer", "PCA full", "PCA covariance_eigh", "PCA whitened", "PCA randomized",
    "LDA probabilities", "LDA classes", "Ridge", "RidgeCV", "RidgeClassifier", "LogisticRegression", "GaussianNB",
    "GaussianMixture", "train_test_split", "cross_val_predict", "pipeline", "grid search", "accuracy_score",
    "balanced_accuracy_score", "f1_score", "precision_score", "recall_score", "zero_one_loss", "hamming_loss",
    "jaccard_score", "confusion_matrix", "cohen_kappa_score", "roc_auc_score", "log_loss", "r2_score",
    "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "max_error",
    "mean_absolute_percentage_error", "explained_variance_score", "mean_tweedie_deviance", "mean_pinball_loss",
    "median_absolute_error", "mean_squared_log_error", "d2_absolute_error_score", "cosine_similarity",
    "euclidean_distances", "linear_kernel", "rbf_kernel", "polynomial_kernel", "manhattan_distances",
    "cosine_distances", "chi2_kernel", "laplacian_kernel",
]  # fmt: skip


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """What differs in each case; SciPy, and so scikit-learn's dispatch, reads the variable when it is imported."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_it_gives_what_it_gives_of_arrays(name, found):
    assert not found[name]


def test_all_cases_are_listed(found):
    assert set(found) == set(NAMES)
