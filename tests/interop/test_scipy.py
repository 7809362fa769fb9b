"""SciPy on tensors where it follows the Array API standard (``SCIPY_ARRAY_API=1``): what it gives of arrays."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

#: Expressions of ``xp``, the namespace, and of two 6 by 5 matrices of float64 between 0.5 and 1.5; each gives tensors.
CASES = """
special.ndtr(a); special.log_ndtr(a); special.ndtri(a / 2); special.erf(a); special.erfc(a); special.i0(a)
special.i1e(a); special.gammaln(a); special.expit(a); special.logit(a / 2); special.entr(a); special.gammainc(a, b)
special.rel_entr(a, b); special.xlogy(a, b); special.betainc(a, b, a / 2); special.logsumexp(a, axis=0)
special.softmax(a, axis=1); special.log_softmax(a, axis=0); special.betaln(a, b); stats.skew(a); stats.kurtosis(a)
stats.gmean(a); stats.hmean(a); stats.sem(a); stats.zscore(a); stats.variation(a); stats.moment(a, order=3)
stats.iqr(a); stats.entropy(a); stats.circmean(a); stats.circstd(a); stats.tmean(a); stats.tstd(a); stats.kstat(a)
stats.trim_mean(a, 0.2); stats.pmean(a, 2); stats.zmap(a, b); stats.ttest_ind(a[:, 0], b[:, 0]).pvalue
stats.ttest_rel(a[:, 0], b[:, 0]).statistic; stats.ttest_1samp(a, 1.0).pvalue
stats.pearsonr(a[:, 0], b[:, 0]).statistic; stats.bartlett(a[:, 0], b[:, 0]).pvalue
stats.f_oneway(a[:, 0], b[:, 0]).pvalue; stats.mannwhitneyu(a[:, 0], b[:, 0]).pvalue
stats.wilcoxon(a[:, 0], b[:, 0]).pvalue; stats.kruskal(a[:, 0], b[:, 0]).pvalue; stats.jarque_bera(a).statistic
stats.skewtest(xp.concat([a, b, a])).pvalue; stats.chisquare(a).statistic
stats.power_divergence(a, lambda_=0.5).statistic; stats.combine_pvalues(a[:, 0] / 2).pvalue
stats.false_discovery_control(a[:, 0] / 2); stats.directional_stats(a).mean_direction; stats.boxcox_llf(0.5, a)
signal.fftconvolve(a, b); signal.oaconvolve(a, b); signal.convolve(a, b); signal.correlate(a, b); signal.detrend(a)
signal.hilbert(a); signal.lfilter(a[0, :], b[0, :], a); signal.filtfilt(a[0, :2], b[0, :2] * 3, a[:, 0], padlen=2)
signal.resample(a, 9); signal.medfilt(a); signal.savgol_filter(a, 3, 1, axis=0); signal.freqz(a[0, :], b[0, :])[1]
fft.fft(a); fft.irfft(a); fft.fftn(a); fft.dct(a); fft.idst(a); fft.fftshift(a); fft.hfft(a)
ndimage.gaussian_filter(a, 1); ndimage.uniform_filter(a, 3); ndimage.sobel(a); ndimage.zoom(a, 2)
ndimage.rotate(a, 30); ndimage.label(a > 1)[0]; ndimage.distance_transform_edt(a > 1); vq.whiten(a); vq.vq(a, b)[1]
vq.kmeans(a, b[:2, :])[0]; hierarchy.linkage(a, "ward"); integrate.trapezoid(a); integrate.cumulative_trapezoid(a)
integrate.cumulative_simpson(a); differentiate.derivative(xp.exp, a).df
integrate.tanhsinh(lambda x: xp.exp(-x * x), a - 1, a).integral; optimize.rosen(a)
Rotation.from_rotvec(a[:, :3]).as_matrix(); Rotation.from_euler("xyz", a[:, :3]).apply(b[:, :3])
constants.convert_temperature(a, "C", "K"); interpolate.make_interp_spline(xp.arange(6, dtype=xp.float64), a)(a[:, 0])
interpolate.RegularGridInterpolator((xp.arange(6, dtype=xp.float64), xp.arange(5, dtype=xp.float64)), a)(a[:, :2])
"""
NAMES = [case.strip() for case in CASES.replace("\n", ";").split(";") if case.strip()]

PROGRAM = r"""
import json, sys, warnings
import numpy as np
from scipy import (constants, differentiate, fft, integrate, interpolate, ndimage, optimize, signal, special, stats)
from scipy.cluster import hierarchy, vq
from scipy.spatial.transform import Rotation
import tensorcore as tc

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
arrays = {"a": rng.random((6, 5)) + 0.5, "b": rng.random((6, 5)) + 0.5}
tensors = {name: tc.tensor(array) for name, array in arrays.items()}
found = {}
for case in json.load(sys.stdin):
    try:
        want = eval(case, {**globals(), "xp": np, **arrays})
        got = eval(case, {**globals(), "xp": tc.array_api, **tensors})
        same = isinstance(got, tc.Tensor) and np.allclose(np.asarray(got), want, rtol=1e-7, atol=1e-10)
        found[case] = "" if same else f"{type(got)} {got} for {want}"[:500]
    except Exception as error:
        found[case] = f"{type(error).__name__}: {error}"[:500]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """What differs in each case; SciPy reads the variable when it is imported, so another process runs them."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(NAMES), capture_output=True, text=True, env=environment,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", NAMES)
def test_it_gives_what_it_gives_of_arrays(case, found):
    assert not found[case]
