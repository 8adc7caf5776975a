"""Names of illnesses as records write them, with the words that go before them."""

from __future__ import annotations

import re

CONDITION = re.compile(
    r"\b(?:(?:acute|chronic|pleural|pericardial|type [12]|essential|severe|mild|moderate|unstable|left|right|bilateral|community[- ]acquired|"
    r"hospital[- ]acquired|congestive|atrial|obstructive|pulmonary|deep vein|iron deficiency|coronary artery|diabetes|"
    r"ischa?emic|urinary tract|chronic kidney|acute kidney|peripheral|rheumatoid|heart|kidney|liver|breast|lung|colon|"
    r"prostate|hip|wrist|upper respiratory|lower respiratory) )*"
    r"(?:hypertension|diabetes(?: mellitus)?|asthma|copd|pneumonia|fibrillation|heart failure|cardiac failure|infarction|"
    r"angina|stroke|embol(?:ism|us)|thrombosis|an[a]?emia|sepsis|cellulitis|infection|arthritis|osteoarthritis|"
    r"osteoporosis|gout|epilepsy|migraine|depression|anxiety|dementia|hypothyroidism|hyperthyroidism|hyperlipid[a]?emia|"
    r"hypercholesterol[a]?emia|pancreatitis|appendicitis|cholecystitis|gastritis|reflux|ulcer|hepatitis|cirrhosis|"
    r"fracture|cancer|carcinoma|lymphoma|leuk[a]?emia|melanoma|tumou?r|effusions?|kidney injury|kidney disease|"
    r"pulmonary disease|artery disease|heart disease|neuropathy|retinopathy|obesity|psoriasis|eczema|colitis|"
    r"crohn'?s disease|synovitis|pneumothorax|ha?emorrhage|seizures?|diverticulitis|bronchitis|sinusitis|otitis media|concussion|syncope)\b",
    re.IGNORECASE,
)
