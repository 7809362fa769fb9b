"""Spectra and filters: windows, fft, stft and back, convolution by transforms, resampling an image, special functions."""

import torch
import torch.nn.functional as F


def main():
    torch.manual_seed(2)
    time = torch.linspace(0, 1, 512)
    wave = torch.sin(2 * torch.pi * 40 * time) + 0.5 * torch.cos(2 * torch.pi * 90 * time) + 0.1 * torch.randn(512)
    spectrum = torch.fft.rfft(wave * torch.hann_window(512, periodic=False))
    peaks = spectrum.abs().topk(4).indices.sort().values
    power = torch.fft.fftshift(torch.fft.fft(wave)).abs().square()
    pieces = torch.stft(wave, 128, hop_length=32, window=torch.hann_window(128), return_complex=True)
    back = torch.istft(pieces, 128, hop_length=32, window=torch.hann_window(128), length=512)
    kernel = torch.signal.windows.gaussian(31, std=5.0)
    kernel = kernel / kernel.sum()
    direct = F.conv1d(wave[None, None], kernel[None, None].flip(-1), padding=15)[0, 0]
    size = 512 + 30
    product = torch.fft.irfft(torch.fft.rfft(wave, size) * torch.fft.rfft(kernel, size), size)[15 : 15 + 512]
    image = torch.rand(1, 1, 12, 10)
    angle = torch.tensor(0.3)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin(), torch.zeros(())]),
                        torch.stack([angle.sin(), angle.cos(), torch.zeros(())])])[None]  # fmt: skip
    turned = F.grid_sample(image, F.affine_grid(turn, [1, 1, 12, 10], align_corners=False), align_corners=False)
    small = F.interpolate(image, scale_factor=0.5, mode="bicubic", align_corners=False, antialias=True)
    x = torch.linspace(0.1, 5, 7, requires_grad=True)
    special = torch.lgamma(x) + torch.special.i0e(x) + torch.erfinv(x / 6) + torch.special.ndtri(x / 6)
    special.sum().backward()
    return {
        "peaks": peaks.tolist(), "power": power.sum().item(), "pieces": list(pieces.shape),
        "energy": pieces.abs().square().mean().item(), "back": (back - wave).abs().max().item() < 1e-5,
        "filters": (direct - product).abs().max().item() < 1e-5, "filtered": direct[::50].tolist(),
        "turned": turned.mean().item(), "small": small.flatten()[:8].tolist(), "special": special.tolist(),
        "slopes": x.grad.tolist(), "frequencies": torch.fft.rfftfreq(8, d=0.5).tolist(),
    }  # fmt: skip
