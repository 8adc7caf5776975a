"""Names of illnesses as records write them, with the words that go before them.

The common ones are listed. Greek tells many more: whatever ends in -itis is an inflammation, in -aemia a fault of the
blood, and so on; a few everyday words with the same endings are not, nor are people: Politis is a family's name. Where that matters, only the
list is used, or a capital is asked why it stands there.
"""

from __future__ import annotations

import re

_BEFORE = (
    r"(?:acute|chronic|pleural|pericardial|type [12]|essential|severe|mild|moderate|unstable|left|right|bilateral|community[- ]acquired|"
    r"hospital[- ]acquired|congestive|atrial|obstructive|pulmonary|deep vein|iron deficiency|coronary artery|diabetes|"
    r"ischa?emic|urinary tract|chronic kidney|acute kidney|peripheral|rheumatoid|heart|kidney|liver|breast|lung|colon|"
    r"prostate|hip|wrist|upper respiratory|lower respiratory|allergic|viral|bacterial|septic|infective|ulcerative|systemic|"
    r"aortic|mitral|spinal|lumbar|cervical|plantar|optic|vestibular|trigeminal|post-?herpetic|multiple|cystic|dilated|"
    r"hypertrophic|diabetic|alcoholic|autoimmune|giant cell|temporal|ankylosing|venous|arterial|carotid|renal|hepatic)"
)
_LISTED = (
    r"hypertension|diabetes(?: mellitus)?|asthma|copd|pneumonia|fibrillation|heart failure|cardiac failure|infarction|"
    r"angina|stroke|embol(?:ism|us)|thrombosis|an[a]?emia|sepsis|cellulitis|infection|arthritis|osteoarthritis|"
    r"osteoporosis|gout|epilepsy|migraine|depression|anxiety|dementia|hypothyroidism|hyperthyroidism|hyperlipid[a]?emia|"
    r"hypercholesterol[a]?emia|pancreatitis|appendicitis|cholecystitis|gastritis|reflux|ulcer|hepatitis|cirrhosis|"
    r"fracture|cancer|carcinoma|lymphoma|leuk[a]?emia|melanoma|tumou?r|effusions?|kidney injury|kidney disease|"
    r"pulmonary disease|artery disease|heart disease|neuropathy|retinopathy|obesity|psoriasis|eczema|colitis|"
    r"crohn'?s disease|synovitis|pneumothorax|ha?emorrhage|seizures?|diverticulitis|bronchitis|sinusitis|otitis media|concussion|syncope|"
    r"myasthenia gravis|polymyalgia rheumatica|fibromyalgia|glaucoma|myeloma|parkinson['’]?s disease|co?eliac disease|"
    r"graves['’]? disease|motor neurone? disease"
)
_BY_ENDING = (
    r"(?!diagnosis|misdiagnosis|prognosis|hypnosis|osmosis|mitosis|meiosis|symbiosis|apoptosis|metamorphosis|anastomosis|"
    r"academia|bohemia|homo?eopathy|naturopathy|osteopathy|psychopathy|allopathy|sociopathy)"
    r"[a-z]{2,}(?:itis|osis|a?emia|opathy|iasis|ectasis|neuralgia|carcinoma|sarcoma|adenoma|blastoma)|neuralgia"
)
LISTED_CONDITION = re.compile(rf"\b(?:{_BEFORE} )*(?:{_LISTED})\b", re.IGNORECASE)
CONDITION = re.compile(rf"\b(?:{_BEFORE} )*(?:{_LISTED}|{_BY_ENDING})\b", re.IGNORECASE)
