"""What the cards of the four imaging bundles say in words, and the page (CHAI form) made from a bundle's metadata."""

from __future__ import annotations

from typing import Any

_ANY = "Any decision on a patient. It has not been tested in a clinic, is no medical device, and misses cases."
_COMMON = (
    "Tested only on pictures of the same sources as it was trained on; expect it to be worse elsewhere.",
    "Age, sex and origin of the people are not known, so fairness between groups could not be measured.",
)
_LITE = "Tan and Le, EfficientNet, ICML 2019; Lite0 weights of ImageNet (Apache-2.0), fine-tuned"

TEXTS: dict[str, dict[str, Any]] = {
    "breast_ultrasound": {
        "title": "Breast ultrasound: normal, benign or malignant",
        "description": "Says how likely a still picture of a breast ultrasound shows a malignant mass.",
        "use": "Teaching and research: a second look at still breast ultrasound, with a person who reads the pictures.",
        "not_for": _ANY + " Not for Doppler, elastography, video, or finding a mass in a whole examination.",
        "data": "BUSI, Al-Dhabyani et al., Data in Brief 2020 (97 normal, 319 benign, 151 malignant; Cairo)",
        "licence": "weights CC0 1.0 as the data; network, and the larger network's weights, Apache-2.0",
        "limits": (
            "No patient ids in the data: pictures of one patient may be on both sides of the split.",
            "That the larger networks help was seen on these same pictures: beside the network of each of three folds "
            "they raised the AUROC from 0.932 to 0.945 and from 0.903 to 0.922, and lowered it from 0.963 to 0.954 in "
            "the third fold, whose networks would have made the bundle too large. The two folds here are the harder.",
            *_COMMON,
        ),
        "references": ["https://doi.org/10.1016/j.dib.2019.104863", _LITE + "; Lite2, but for its last layer as it is"],
        "dicom": ["US"],
    },
    "brain_tumour": {
        "title": "Brain MRI slice: tumour or none",
        "description": "Says how likely one slice of a brain MRI shows a tumour.",
        "use": "Teaching and research: sorting single brain MRI slices, with a person who reads them.",
        "not_for": _ANY
        + " Not for CT, for other brain disease, or for ruling a tumour out: one slice is not the brain.",
        "data": "Br35H 2020 (476 without, 364 with a tumour); grey levels of Cheng et al. 2017 lent to both",
        "licence": "the data states none; weights for research only until that is settled; network Apache-2.0",
        "limits": (
            "Both classes come from one source. Tumours of another source (Cheng et al. 2017) are found less often; "
            "the figure is below.",
            "The source of a picture can still be told from what the network makes of it (figure below): the two "
            "differ in more than grey levels. Within one source, that mark does not speak for a tumour.",
            *_COMMON,
        ),
        "references": ["https://www.kaggle.com/datasets/ahmedhamada0/brain-tumor-detection", _LITE],
        "dicom": ["MR"],
    },
    "brain_tumour_type": {
        "title": "Brain MRI slice with a tumour: glioma, meningioma or pituitary",
        "description": "Says which of three tumours a T1 contrast slice that shows one of them most likely shows.",
        "use": "Teaching and research, on slices known to show one of these three tumours.",
        "not_for": _ANY + " Not for slices without a tumour or with another one: it always names one of its three.",
        "data": "Cheng et al. 2017, figshare 1512427 (233 patients; glioma 1097, meningioma 537, pituitary 710 slices)",
        "licence": "weights CC BY 4.0 as the data; network Apache-2.0",
        "limits": ("A healthy slice is not told apart from a tumour.", *_COMMON),
        "references": ["https://doi.org/10.6084/m9.figshare.1512427", _LITE],
        "dicom": ["MR"],
    },
    "fracture": {
        "title": "X-ray of an arm or hand: fracture or none (demonstration)",
        "description": "Demonstration: says how likely an X-ray of the upper limb shows a fracture, old or new.",
        "use": "Demonstration only: shows how such a classifier is built, tested and explained.",
        "not_for": _ANY + " Not for ruling a fracture out, for children's growth plates, spine, hip, skull or ribs.",
        "data": "Roboflow veda bone-fracture-detection v4 (1247 with, 1985 without a fracture)",
        "licence": "disputed: the publisher states CC BY 4.0, but the films look like those of MURA, whose terms allow "
        "research use only; treat the weights as research only",
        "limits": (
            "Plates and healed fractures count as fracture in the data.",
            "The fifth that the figures below are of is an easier one: networks trained alike on two thirds of the "
            "pictures reached an AUROC of 0.80, 0.77 and 0.82 on the third kept from each, and of five networks judged "
            "on this fifth the two here are the best, at 0.85 and 0.83. Expect less elsewhere.",
            *_COMMON,
        ),
        "references": ["https://universe.roboflow.com/veda/bone-fracture-detection-daoon", _LITE],
        "dicom": ["CR", "DX", "RG"],
    },
    "bright_square": {
        "title": "Generated pictures: a bright square or none",
        "description": "Proves the path from training to bundle; knows nothing of medicine.",
        "use": "The project's own tests.",
        "not_for": _ANY,
        "data": "generated by models/training/imaging_quick.py",
        "licence": "Apache-2.0",
        "limits": ("Generated pictures only.",),
        "references": [_LITE],
        "dicom": [],
    },
}


def _split_line(ours: dict[str, Any]) -> str:
    """How pictures were kept from training, and so what the figures below are figures of."""
    members, folds = len(ours.get("members", ())), ours.get("member_folds", 0)
    left_out = len(set(ours.get("folds_left_out", ())))
    if left_out:
        return (
            f"- Split by group (patient or near-duplicate) into {folds} folds, of which {left_out} were each kept from "
            "one network of the smaller kind and from one of the larger; the larger ones are of ImageNet but for their "
            f"last layer, which was fitted. All {members} answer with the mean of their logits. Calibration and "
            f"figures are of pairs, on the pictures of these {left_out} folds, each judged by the two that did not see "
            "its group; the mean of all, which is what ships, has not been measured on pictures that none of them saw."
        )
    if folds:
        return (
            f"- Split by group (patient or near-duplicate) into {folds} folds; {members} networks, each trained "
            "without one fold, answer with the mean of their logits. Calibration and figures are of single networks, "
            "each picture judged by the one that did not see its group; the mean of all, which is what ships, is "
            "expected to be a little better and a little too cautious in its probabilities, and has not been measured "
            "on pictures that none of them saw."
        )
    last = ", the last one larger, of ImageNet but for its last layer," if ours.get("variants") else ","
    several = (
        f"; {members} networks, all trained without it{last} answer with the mean of their logits" if members else ""
    )
    return (
        "- Split by group (patient or near-duplicate), one fifth kept from training for calibration and "
        f"figures{several}."
    )


def _making_lines(ours: dict[str, Any]) -> list[str]:
    making = ours.get("making")
    if not making:
        return []
    told = ", ".join(f"{name} {value}" for name, value in making.items() if name != "command")
    return [f"- Making: `{making['command']}`, seed {ours['seed']}; {told}."]


def model_card_page(metadata: dict[str, Any]) -> str:
    """Markdown model card in the form of the Coalition for Health AI's Applied Model Card."""
    ours, image = metadata["health_connect"], metadata["network_data_format"]["inputs"]["image"]
    lines = [
        f"# {metadata['task']}",
        "",
        f"Bundle `{ours['id']}`, version {metadata['version']}. Written by the training script and `evaluate`; "
        "do not edit by hand.",
        "",
        "## Summary",
        metadata["description"],
        "",
        "## Uses and directions",
        f"- Intended use: {metadata['intended_use']}",
        f"- Not for: {metadata['not_for']}",
        f"- Input: {image['modality']} picture, PNG, JPEG, DICOM or NIfTI.",
        "- Output: a calibrated probability a class, a prediction set at 90 % coverage, or silence with a reason.",
        "",
        "## Warnings",
        *(f"- {limit}" for limit in ours["limits"]),
        "",
        "## Trust ingredients",
        f"- Data: {metadata['data_source']}",
        f"- Licence: {metadata['licence']}",
        _split_line(ours),
        "- Gate: Mahalanobis distance of the middle layers' view to that of the training pictures; 5 % of its own kind "
        "turned away.",
        *_making_lines(ours),
        "- Explanation: Grad-CAM++, tested by deletion against chance on every reading.",
        "- Bias: no data on the people is published with the pictures, so none could be measured.",
        "- Security: weights are safetensors; nothing of the bundle is executed; hashes are checked before use.",
        "",
        "## Key metrics",
        "",
        "| figure | value | 95 % interval | data |",
        "|---|---|---|---|",
    ]
    for metric in ours.get("metrics", ()):
        interval = metric.get("interval")
        between = "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
        lines.append(f"| {metric['name']} | {metric['value']:.3f} | {between} | {metric['data']} |")
    commands = sorted({metric["command"] for metric in ours.get("metrics", ())})
    lines += ["", *(f"Printed by `{command}`." for command in commands), "", "## References"]
    lines += [f"- {reference}" for reference in metadata["references"]]
    return "\n".join(lines) + "\n"
