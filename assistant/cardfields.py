"""The fields of a model card: which heading, label or key names each, and by which words a sentence states one.

Knows nothing of file formats, requirements or laws.
"""

import re
from functools import lru_cache

from assistant.findings import Facet
from assistant.statements import clean

FIELDS = (
    "name", "version", "date", "developer", "intended_purpose", "users", "population", "setting", "inputs", "outputs", "modality",
    "base_model", "architecture", "training_data", "sites", "dates", "annotation", "reference_standard", "split", "sample_sizes",
    "evaluation", "metrics", "subgroups", "external_validation", "limitations", "contraindications", "failure_modes", "oversight",
    "explainability", "monitoring", "change_plan", "hardware", "security", "privacy", "legal_basis", "regulatory_status", "licences",
    "contacts", "description", "risk_management",
)  # fmt: skip
REQUIRED = (
    "name",
    "version",
    "developer",
    "intended_purpose",
    "users",
    "population",
    "inputs",
    "outputs",
    "training_data",
    "evaluation",
    "metrics",
    "limitations",
    "contacts",
)

# ---- which heading, label or key means which field ---------------------------------------------------------------------

# Tried in order on a heading, label or key in lower case with plain spaces; the first pattern that fits names the field.
_NAMES: tuple[tuple[str, str], ...] = (
    ("contraindications", r"out[- ]of[- ]scope|contra-?indications?|(?:prohibited|unintended|unsupported|misuse|not intended|inappropriate|"
    r"excluded) ?(?:uses?|use cases|purposes?|for)?|cautioned out of scope settings|when not to use|do not use|intended use exclusions?|exclusions?$|"
    r"foreseeable misuse"),
    ("external_validation", r"external (?:validation|test|evaluation)|independent (?:validation|test)|multi[- ]?(?:site|cent(?:er|re)) (?:validation|"
    r"evaluation)|generali[sz]ability|validation on external"),
    ("reference_standard", r"reference standards?|ground truth|gold standard|label(?:ling)? standard|truthing|adjudication"),
    ("annotation", r"annotat|labell?ing(?: (?:process|procedure|protocol))?$|labell?ers|labels?$|readers?$|who labell?ed"),
    ("subgroups", r"sub-?groups?|fairness|factors?$|(?:relevant|evaluation) factors|disaggregated|demographics?$|performance (?:by|across) |(?:sex|age|"
    r"gender|skin tone|ethnicity|race)[^|]{0,30}(?:results|performance)|bias (?:evaluation|analysis|assessment|testing|audit)|equity|stratified|"
    r"intersectional"),
    ("failure_modes", r"failure modes?|known (?:failures?|issues)|error analysis|when (?:it|the model) fails|failure (?:cases|analysis)"),
    ("oversight", r"(?:human|clinical|clinician) (?:oversight|supervision|review|control|in the loop|factors)|human[- ]in|oversight|human-?ai|"
    r"human and ai|override|workflow|decision making|recommendations$"),
    ("explainability", r"explainab|interpretab|saliency|model examination|transparency|explanations?$|how (?:it|the model) (?:reaches|decides)"),
    ("change_plan", r"change (?:control|plan|management)|pccp|predetermined|planned (?:changes|updates|modifications)|re-?training|update (?:policy|plan|"
    r"procedure)|model updates?$|lifecycle|roadmap|change ?log$|version history"),
    ("monitoring", r"monitoring|post[- ]?market|surveillance|drift|maintenance|ongoing maintenance|post[- ]deployment|vigilance|incident"),
    ("risk_management", r"risk (?:management|analysis|assessment|register|controls?|mitigations?)|hazards?|safety case|clinical risk level|"
    r"bias mitigation approaches"),
    ("limitations", r"limitation|bias(?:es)?,? (?:risks?,? )?(?:and|&) |known (?:risks|bias)|known biases or ethical considerations|bias(?:es)?$|risks?$|"
    r"caveats?|warnings?(?: and precautions)?$|precautions|ethical considerations|what (?:it|the model) (?:cannot|does not)"),
    ("legal_basis", r"legal basis|lawful basis|consent|ethic(?:s|al) (?:approval|statement|committee|review)|irb|institutional review|"
    r"patient consent or disclosure"),
    ("privacy", r"privacy|de-?identif|anonymi[sz]|pseudonymi[sz]|data protection|personal (?:data|and sensitive)|gdpr|hipaa|confidential|phi"),
    ("security", r"security|cyber|sbom|access control|vulnerab"),
    ("regulatory_status", r"regulatory|clearance|ce mark|510 ?\(?k|fda|mdr|approval|certification|medical device|classification status|device class|"
    r"compliance"),
    ("sample_sizes", r"sample sizes?|dataset sizes?|(?:number|no\.?) of (?:patients|images|studies|cases|samples|scans)|cohort size|"
    r"data(?:set)? statistics|num(?:ber)? samples"),
    ("split", r"(?:data ?(?:set)? )?splits?|splitting|train(?:ing)?[ /,]+(?:val\w*[ /,]+)?(?:and )?test|partition|data leakage"),
    ("sites", r"(?:data (?:collection )?|clinical |study |participating )?(?:sites?|centers?|centres?|hospitals?|institutions?)$|data sources?$|"
    r"input data source|acquisition sites?|geograph"),
    ("dates", r"(?:data )?(?:collection |acquisition )(?:dates?|period|time ?frame)|time (?:period|frame|range)|data (?:dates?|period)|study period|"
    r"date range|collection"),
    ("training_data", r"training (?:data(?:sets?)?|sets?|corpus|cohort)|(?:development|pre-?training|fine-?tuning) (?:data|set|cohort)|data(?:sets?)?$|"
    r"dataset (?:description|details|overview)|data(?:set)? used|development data characteri[sz]ation|data (?:description|collection|overview|"
    r"and annotation|provenance)|trained on"),
    ("metrics", r"metrics?|results?$|performance|quantitative|accuracy|scores?$|benchmark|key metrics|mean dice|dice|auroc|auc$|sensitivity|specificity|"
    r"operating points?|calibration"),
    ("evaluation", r"evaluation|testing|test (?:data|set)|validation|clinical (?:evidence|study|studies|evaluation)|reader study|standalone|experiments?$|"
    r"verification"),
    ("users", r"(?:primary |intended |target )*(?:end[- ])?users?(?: profile| group)?$|(?:primary )?intended users|who (?:should|can|may) use|"
    r"user qualifications?|target audience|audience|user group"),
    ("population", r"(?:target(?:ed)? |intended |patient |study )*(?:patient )?populations?|target(?:ed)? patients?|patients?$|patient (?:characteristics|"
    r"selection|cohort|group)|inclusion (?:and exclusion )?criteria|cohort$|subjects?$|eligib"),
    ("setting", r"(?:clinical |care |use |intended |deployment |operating )+(?:setting|environment|context)|environment of use|setting$|deployment$|"
    r"integration|where (?:it|the model) is used|care pathway"),
    ("intended_purpose", r"intended (?:use|purpose|application)|indications?(?: for use)?|purpose|direct use|primary (?:intended )?use|uses?$|use ?cases?|"
    r"intended use and workflow|medical purpose|scope$|applications?$|what (?:it|the model) does|how to use$|intended"),
    ("inputs", r"(?:model |data |expected |required )*inputs?(?: (?:format|data|requirements?|specifications?|types?|modality|images?|shape))?s?$|"
    r"image requirements|acquisition (?:requirements|protocol|parameters)|preprocessing|input|channel def|accepts"),
    ("outputs", r"(?:model |expected )*outputs?(?: (?:format|data|types?|classes|shape|interpretation))?s?$|outcomes? and outputs?|predictions?$|classes$|"
    r"output|results? format|returns"),
    ("modality", r"(?:imaging |image |data )?modalit|image type|data type|imaging$|scanner"),
    ("base_model", r"base[_ ]model|fine-?tuned from|parent model|foundation models?(?: used)?|pre-?trained (?:model|weights|backbone)|initiali[sz]ed from|"
    r"backbone$|derived from"),
    ("architecture", r"architecture|model (?:type|architecture|design|structure|objective)|network|algorithm|model description$|technical specifications?|"
    r"technical details|network data format|pipeline tag|library name|model details$"),
    ("hardware", r"hardware|compute|gpu|system requirements|infrastructure|memory|software requirements|minimum requirements|runtime"),
    ("licences", r"licen[cs]e|licensing|terms of use|copyright|data[_ ]license|intellectual"),
    ("contacts", r"contact|maintainers?|support|questions|feedback|model card (?:authors?|contact)|point of contact|report(?:ing)? (?:an? )?(?:issue|"
    r"problem)|e-?mail|complaints"),
    ("developer", r"developed by|developers?|model developer|authors?|organi[sz]ation|manufacturer|vendor|provider|company|created by|owner|creators?|"
    r"legal manufacturer|funded|built by|maintained by|publisher"),
    ("date", r"(?:release |model |publication |card |last )?(?:date|updated)$|release date|last (?:updated|modified|revised)|date of|published|release info"),
    ("version", r"(?:model |release |software |card |current |product )?version(?: number| no\.?)?$|release version|release$|revision"),
    ("name", r"(?:model |product |device |trade |system )?name$|model id|model name|product$|title$|device$|model$"),
    ("description", r"(?:model |general |product )?(?:description|overview|summary)|description|summary|overview|about|introduction|abstract|"
    r"model summary|model details|background"),
)  # fmt: skip
_PATTERNS = tuple((field, re.compile(rf"^(?:{pattern})", re.I)) for field, pattern in _NAMES)
_INSIDE = tuple(
    (field, re.compile(rf"\b(?:{pattern})", re.I))
    for field, pattern in _NAMES
    if field not in ("name", "version", "date", "description", "developer", "modality", "setting", "inputs", "outputs", "hardware")
)


@lru_cache(maxsize=8192)
def field_of(title: str, inside: bool = True) -> str:
    """The field a heading, label or key names, or "": first by how it begins, then by what stands in it."""
    plain = re.sub(r"([a-z])([A-Z])", r"\1 \2", clean(title))
    plain = re.sub(r"^[\s\d.():#*–—-]+", "", plain).replace("_", " ").strip(" :.*?").lower()
    plain = re.sub(r"[^\w\s()/&,.'-]", "", plain).strip()
    if not plain or len(plain) > 80:
        return ""
    for field, pattern in _PATTERNS:
        if pattern.match(plain):
            return field
    return next((field for field, pattern in _INSIDE if pattern.search(plain)), "") if inside else ""


# ---- fields that no heading names ----------------------------------------------------------------------------------------

_NUMBER = r"re:\b\d[\d,.]*(?: ?k| million)?\b"
_PEOPLE = (
    r"re:\b(?:radiologists?|clinicians?|physicians?|doctors?|nurses?|surgeons?|dermatologists?|pathologists?|ophthalmologists?|cardiologists?|"
    r"oncologists?|researchers?|technologists?|radiographers?|health ?care professionals?|specialists?|general practitioners?|sonographers?|patients?|"
    r"consumers?|lay users?)\b"
)
_METRIC = (
    r"re:\b(?:AUC|AUROC|AUPRC|sensitivit\w+|specificit\w+|accurac\w+|dice|DSC|IoU|mAP|F1|recall|precision|PPV|NPV|kappa|Hausdorff|MAE|RMSE|PSNR|SSIM|"
    r"perplexity|BLEU|ROUGE|error rate)\b"
)
_VALUE = r"re:(?<![\d.])(?:0?\.\d{2,}|1\.00?|\d{1,3}(?:\.\d+)? ?%)"


def _cues(name: str, *groups: tuple[str, ...]) -> Facet:
    return Facet(name, "", groups, (name,))


FIELD_CUES: tuple[Facet, ...] = (
    _cues("version", (r"re:\b(?:version|release)\s*:?\s*v?\d+(?:\.\d+)*\b", r"re:\bv\d+\.\d+(?:\.\d+)?\b")),
    _cues("developer", ("developed by", "manufactured by", "created by", "built by", "legal manufacturer", "was developed at")),
    _cues("intended_purpose", ("intended for", "meant for", "intended use", "intended to", "indicated for", "designed to", "designed for", "is used to",
        "can be used to", "aims to", "purpose of")),
    _cues("users", (_PEOPLE,), ("intended for", "meant for", "used by", "use by", "designed for", "users are", "intended user*", "target user*", "for use by")),
    _cues("population", (r"re:\b(?:patients?|adults?|children|women|men|neonates|infants|individuals|subjects)\b",), (
        r"re:\b(?:aged?|years|undergoing|before|after|who|with suspected|suspected of|presenting with|population|older than|younger than|inpatients|"
        r"outpatients|screening)\b",), ("intended", "indicated", "for use in", "target", "population", "applies to", "cohort", "designed for", "used in",
        r"re:\b(?:in|for|of) (?:adults?|children|women|men|neonates|infants)\b")),
    _cues("setting", ("emergency department", "intensive care", "outpatient clinic*", "screening programme", "screening program", "point of care",
        "primary care", "radiology department", "reading room", "inpatient ward*"), ("used", "use", "intended", "deployed", "runs", "integrated", "designed",
        "setting")),
    _cues("inputs", (r"re:\btakes (?:an?|the|one|two|as)\b", "accepts", "input is", "input are", "inputs are", "as input", "input image*", "expects",
        "input size", "input shape", "requires")),
    _cues("outputs", ("outputs", "returns", "produces", "output is", "output are", "model output*", "predicts", "generates", "output channel*")),
    _cues("modality", (r"re:\b(?:CT|computed tomography|MRI|magnetic resonance|x-?rays?|radiographs?|ultrasound|mammogra\w+|PET|dermoscop\w+|fundus|OCT|"
        r"histopatholog\w+|whole[- ]slide|endoscop\w+|angiogra\w+|echocardiogra\w+|ECG|EHR|electronic health records?)\b",)),
    _cues("base_model", ("initialised from", "initialized from", "initialised with", "initialized with", "pretrained on", "pre trained on",
        "fine tuned from", "finetuned from", "fine tuned on top", "backbone", "imagenet weights", "pretrained weights", "pre trained weights")),
    _cues("architecture", (r"re:\b(?:U-?Net|nnU-?Net|SegResNet|UNETR|Swin|ResNet|DenseNet|EfficientNet|VGG|Inception|ConvNeXt|transformer|ViT|"
        r"convolutional|random forest|gradient boosting|XGBoost|LSTM|autoencoder|diffusion model|YOLO|Mask R-?CNN|RetinaNet|logistic regression|GAN|CLIP|"
        r"LLaMA|BERT)\w*",)),
    _cues("training_data", ("trained on", "training data", "training set", "training dataset", "was trained with", "trained using")),
    _cues("sites", (r"re:\b(?:hospitals?|cent(?:re|er)s?|sites?|institutions?|clinics?)\b",), (r"re:\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|"
        r"ten|eleven|twelve|several|multiple|from|at|in)\b",), ("collected", "acquired", "from", "data", "images", "scans", "patients", "contributed",
        "recruited")),
    _cues("dates", (r"re:\b(?:19|20)\d\d\b[^.;]{0,25}\b(?:to|and|until|through|[-–—])\s*(?:\w+ )?(?:19|20)\d\d\b",), ("collected", "acquired", "images",
        "scans", "data", "patients", "studies", "between", "from", "admissions", "records")),
    _cues("annotation", (r"re:\b(?:annotat|label+|delineat|contour|segment)(?:ed|ing|ion|ions)\b",), ("by", "annotators", "readers", "radiologist*",
        "expert*", "manually", "reviewed")),
    _cues("reference_standard", ("reference standard", "ground truth", "gold standard", "biopsy", "histopatholog*"), ("was", "were", "is", "based on",
        "defined", "established", "consensus", "by")),
    _cues("split", (r"re:\b(?:split\w*|partition\w*|divided|held[- ]out|cross[- ]validation|\d+[- ]fold|training/validation|train/test|train/val\w*)\b",), (
        r"re:\b(?:train\w*|test\w*|validat\w*|folds?|patients?|sets?)\b",)),
    _cues("sample_sizes", (_NUMBER,), (r"re:\b\d[\d,.]*(?: ?k| million| thousand)?\s+(?:\w+\s+){0,3}?(?:patients?|images?|studies|scans?|cases?|volumes?|"
        r"radiographs?|exams?|examinations|slides?|subjects?|participants?|records|admissions|samples|CTs?|MRIs?|x-?rays?|mammograms|lesions|reports|"
        r"encounters|stays)\b",)),
    _cues("evaluation", ("evaluated on", "tested on", "validated on", "evaluated using", "test set", "validation set", "evaluation was", "reader study",
        "clinical study", "retrospective study", "prospective study", "benchmark*")),
    _cues("metrics", (_METRIC,), (_VALUE, r"re:\b\d+\.\d+\b")),
    _cues("subgroups", (r"re:\b(?:wom[ae]n|females?|males?|m[ae]n|sex|gender|age groups?|ethnic\w*|race|skin (?:tone|type)s?|subgroups?|sub-groups?|"
        r"vendors?|scanners?)\b",), (_METRIC, "performance", "differ*", "gap"), (_VALUE, r"re:\b\d+\.\d+\b", "points")),
    _cues("external_validation", ("external validation", "externally validated", "external test", "external cohort", "external dataset",
        "independent hospital", "independent cohort", "held out site", "held out hospital")),
    _cues("limitations", ("limitation*", "may not", "not been tested", "not been evaluated", "not been validated", "has not been", "less accurate",
        "reduced performance", "performance may", "may underperform", "not generalise", "limited to", "may be lower", "not tested", "degrade*")),
    _cues("contraindications", ("not intended for", "should not be used", "must not be used", "not for use", "contraindicated", "do not use",
        "not suitable for", "out of scope", "not be used")),
    _cues("failure_modes", ("false positives", "false negatives", "fails", "failure mode*", "misses", "failure case*", "errors occur", "misclassif*",
        "may miss"), ("caus*", "when", "in", "due", "often", "because", "produce", "with", "include")),
    _cues("oversight", (_PEOPLE,), ("reviews", "review", "confirms", "confirm", "final decision", "diagnostic decision", "override", "overrides", "dismiss",
        "responsible", "verify", "verifies", "supervis*", "in the loop", "second reader")),
    _cues("explainability", (r"re:\b(?:heat ?maps?|saliency|grad-?cam\w*|SHAP|LIME|attention maps?|attribution|explanations?|counterfactual\w*)\b",)),
    _cues("monitoring", ("post market", "monitored", "monitoring", "drift", "surveillance", "incident report*", "complaint*"), ("performance", "data",
        "plan", "weekly", "monthly", "quarterly", "regularly", "deployment", "users", "reported", "clinical", "model")),
    _cues("change_plan", ("retrained", "re trained", "model update*", "change control", "predetermined change*", "change log", "updates are",
        "updated every", "locked")),
    _cues("hardware", (r"re:\b(?:GPUs?|NVIDIA|A100|V100|T4|RTX|H100|VRAM|\d+ ?GB|CPU cores?|TPUs?)\b",)),
    _cues("security", ("encrypted", "encryption", "access control", "tls", "sbom", "software bill of materials", "vulnerabilit*", "penetration test*",
        "authentication", "role based access")),
    _cues("privacy", (r"re:\b(?:de-?identif\w+|anonymi[sz]\w+|pseudonymi[sz]\w+|data protection|GDPR|HIPAA|burned-in|differential privacy|federated)\b",)),
    _cues("legal_basis", ("informed consent", "ethics committee", "ethical approval", "institutional review board", "irb", "legal basis", "lawful basis",
        "consent was waived", "waiver of consent", r"re:\b6\(1\)\([a-f]\)")),
    _cues("regulatory_status", (r"re:\b(?:FDA|CE[- ]mark\w*|510\(k\)|K\d{6}|De Novo|MDR|class II[ab]?|class III|SaMD|research use only|UKCA)\b",
        "not a medical device", "not for clinical use", "for research purposes", "medical device")),
    _cues("licences", ("licensed under", "license", "licence", "released under", "terms of use")),
    _cues("contacts", (r"re:[\w.+-]+@[\w-]+\.[\w.]+", "please contact", "contact us")),
    _cues("risk_management", ("iso 14971", "risk management", "hazard*", "risk assessment", "risk analysis", "residual risk*", "risk control*")),
)  # fmt: skip
