"""Evidence that a medical-imaging model needs whatever the framework, checked in a card: what is shown, and what speaks against it.

Twelve facets of our own, each found only with its substance (a value, an interval, a number of readers); and admissions, such
as images of one patient in both sets, which undo what a card says elsewhere. Knows nothing of requirements or laws.
"""

import re

from assistant.findings import Evidence, Facet, FacetResult
from assistant.reading import Reading, assess_facet

_VALUE = r"re:(?<![\d.])(?:0?\.\d{2,3}|1\.00?|\d{1,2}(?:\.\d+)? ?%)"
_INTERVAL = (
    r"re:(?:95 ?%|99 ?%|\bCI\b|confidence interval|±|\bSD\b|standard (?:deviation|error)|[\[(]\s*0?\.\d+\s*(?:[-–—,;]|to)\s*0?\.\d+\s*[\])]|"
    r"[\[(]\s*\d{1,2}(?:\.\d+)?\s*(?:[-–—]|to)\s*\d{1,2}(?:\.\d+)?\s*[%\])]|p ?[<=] ?0?\.\d+)"
)
_METRIC = (
    r"re:\b(?:AUC|AUROC|AUPRC|ROC|sensitivit\w+|specificit\w+|accurac\w+|dice|DSC|IoU|Hausdorff|F1|recall|precision|PPV|NPV|predictive values?|"
    r"mean absolute error|MAE|kappa|error rate|false (?:positive|negative)s?|recall@\w+)\b"
)
_GROUP = (
    r"re:\b(?:wom[ae]n|females?|males?|m[ae]n\b|sex(?:es)?\b|gender|age (?:groups?|bands?)|aged?\b|years?\b|black|white|asian|hispanic|latin[oa]\w*|"
    r"ethnic\w*|race|racial|skin (?:tone|type|colou?r)s?|fitzpatrick|monk|scanner|vendors?|manufacturers?|detectors?|field strength|site [A-Z0-9]|"
    r"hospital [A-Z0-9]|supine|portable|paediatric|pediatric|BMI)\b"
)

FACETS: tuple[Facet, ...] = (
    Facet("subgroup-values", "Results by subgroup (age, sex, skin tone or ethnicity, site, scanner) with values", ((_GROUP,), (_METRIC,), (_VALUE,)), (
        "subgroups", "metrics"),
          "Sensitivity was 0.91 in women and 0.92 in men.", "The model performs equally well for women and men."),
    Facet("subgroup-intervals", "Uncertainty of the results by subgroup", ((_GROUP,), (_METRIC,), (_VALUE,), (_INTERVAL,)), ("subgroups", "metrics"),
          "Sensitivity in women was 0.91 (95 % CI 0.88-0.93).", "Sensitivity in women was 0.91."),
    Facet("patient-split", "Training and test data kept apart by patient", ((
        "patient level split", "patient wise split", "split by patient", "split at the patient level", "patient level", "patient wise", "patient disjoint",
        "no patient overlap", "no overlap of patients",
        r"re:\bno (?:patient|subject|participant|individual)s?\b[^.;]{0,60}\b(?:both|more than one|shared|overlap\w*|two)\b",
        r"re:\b(?:split|partition\w*|separat\w*|divid\w*|stratif\w*)\b[^.;]{0,40}\b(?:by|per|on|at)(?: the)? (?:patient|subject|study participant)\b",
        r"re:\ball (?:images|scans|studies) of (?:a|one|each) (?:patient|subject)[^.;]{0,40}\bsame\b",
    ), (r"re:\b(?:split\w*|sets?|partition\w*|training|test|validation|divid\w*|separat\w*|fold\w*)\b",)), ("split",),
          "Data were split by patient, so no patient is in both the training and the test set.", "Images were split randomly into training and test sets."),
    Facet("external-validation", "Validation on data from sites that took no part in development, with a result", ((
        "external validation", "externally validated", "external test", "external cohort", "external site*", "external hospital*",
        "took no part in training", "took no part in development", "external dataset", "external data", "independent test site", "independent hospital",
        "independent cohort", "held out site", "held out hospital", "geographically separate", "out of distribution cohort",
    ), (_METRIC, _VALUE, r"re:\b\d[\d,.]* (?:patients|images|studies|scans|cases|exams|examinations|radiographs|volumes|subjects)\b"), (_VALUE,
        r"re:\b\d{2}[\d,]*\b")), ("external_validation", "evaluation"),
          "On the external cohort from two hospitals the AUC was 0.93.", "An external validation showed good results."),
    Facet("readers", "Reference standard and who set it: number and qualification of readers, or another method", ((
        r"re:\b(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+)\b[^.;]{0,50}\b(?:radiologists?|dermatologists?|pathologists?|ophthalmologists?|"
        r"cardiologists?|oncologists?|readers?|experts?|physicians?|clinicians?|surgeons?|neuroradiologists?|sonographers?|annotators?)\b",
        "histopatholog*", "biopsy proven", "biopsy", "pathology report", "follow up CT", "laboratory confirmed", "surgical finding",
    ), ("reference standard", "ground truth", "gold standard", "label*", "annotat*", "truth*", "consensus", "adjudicat*", "majority", "delineat*",
        "contour*", "read*")), ("reference_standard", "annotation"),
          "The reference standard was the consensus of three thoracic radiologists.", "Ground truth labels were of high quality."),
    Facet("sample-size", "Why the sample is large enough", (("sample size", "number of cases", "number of positive*", "power", "statistical power",
        "cohort size"), (
        "calculat*", "power analysis", "power calculation", "statistical power", "precision", "confidence interval", "interval width", "based on", "so that",
        "estimat*", "to detect", "assum*"), ("#",)), ("sample_sizes", "evaluation"),
          "The sample size was calculated to give a 95 % confidence interval below 6 points.", "The sample size was large."),
    Facet("operating-point", "Operating point with its sensitivity and specificity, or how it was chosen", (("operating point", "threshold", "cut off",
        "cutoff", "decision threshold", "youden"), (_VALUE, r"re:\b0?\.\d+\b", "chosen", "fixed", "selected", "set to", "set at", "maximi*"), (_METRIC,
        "sensitivity", "specificity", "tuning set", "validation set", "recall", "false positive*", _VALUE)), ("metrics", "evaluation"),
          "At the operating point of 0.37 sensitivity is 0.91 and specificity 0.92.", "The threshold can be changed by the user."),
    Facet("calibration", "Calibration of the output, measured", (("calibration", "calibrated", "expected calibration error", "brier score",
        "reliability diagram", "hosmer lemeshow"), (r"re:(?<![\d])\d?\.\d+", "slope", "curve shows", "plot shows")), ("metrics", "evaluation"),
          "The calibration slope was 0.97 on the external set.", "Probabilities are well calibrated."),
    Facet("drift-plan", "Monitoring of performance or drift in use, with a measure and a rhythm or limit", (("monitor*", "drift", "surveillance",
        "post market", "re-read", "audit*"), (
        "drift", "performance", "sensitivity", "flag rate", "distribution", "population stability index", "override rate*", "accuracy", "false positive*",
        "auc", "input data"), (
        r"re:\b(?:daily|weekly|monthly|quarterly|yearly|annual\w*|continuous\w*|every (?:\w+ )?(?:day|week|month|quarter|year|release)s?|each (?:day|week|"
        r"month|quarter|year|release)|per (?:week|month|quarter|year))\b", "threshold", "above", "below", "exceed*", "alarm", "limit", "trigger*")), (
        "monitoring",),
          "Drift of the probability distribution is monitored weekly, and an index above 0.2 opens an investigation.",
          "The model should be monitored after deployment."),
    Facet("robustness", "Tests of robustness against noise, artefacts, scanners or attacks, with results", (("robust*", "noise", "artefact*", "artifact*",
        "perturb*", "adversarial", "compression", "motion", "corruption*", "domain shift", "scanner shift", "image quality"), (
        "test*", "evaluat*", "measur*", "simulat*", "experiment*", "stress test*", "added", "lower*", "drop*", "fell", "decreas*", "chang*"), (_VALUE,
        r"re:\b\d+(?:\.\d+)? points?\b", r"re:\bby \d")), ("evaluation", "limitations"),
          "Added noise lowered sensitivity by 2.3 points.", "The model is robust to noise."),
    Facet("human-ai", "People and AI together: a reader study, usability test or defined workflow step", (
        ("reader study", "reader*", "radiologist*", "clinician*", "physician*", "user*", "dermatologist*", "surgeon*", "pathologist*", "technologist*",
        "nurse*"), (
        "reader study", "usability", "with and without", "automation bias", "time to report", "reading time", "override", "overrid*", "dismiss*",
        "reads every", "reads all", "reviews every", "review each", "reviews each", "final decision", "diagnostic decision", "confirm*",
        "correct* the contour", "edit*", "crossover", "human factors", "multi reader")), ("oversight", "evaluation"),
          "In a reader study with 14 radiologists, reading with the AI shortened the time to report.", "Radiologists love the tool."),
    Facet("privacy-tests", "Tests of what the model gives away: memorisation, membership inference, reconstruction", (("membership inference", "memori*",
        "model inversion", "reconstruction attack", "reconstruct*", "extraction attack", "differential privacy", "data leakage from the model",
        "re-identification risk", "nearest neighbour"), (
        "test*", "attack*", "measur*", "epsilon", "ε", "evaluat*", "assess*", "advantage", "audit*"), ("#",)), ("privacy", "security"),
          "A membership-inference attack reached an AUC of 0.52.", "The model does not memorise patients."),
)  # fmt: skip

# What a card admits: cues, and the card fields whose facets it undoes.
_ADMISSIONS: tuple[tuple[Facet, frozenset[str]], ...] = (
    (Facet("leak", "Images of one patient stand in more than one set", ((
        r"re:\b(?:same|one|a single|some) (?:patient|subject|individual)s?\b[^.;]{0,50}\b(?:both|several|different|more than one|multiple|"
        r"training and test)\b[^.;]{0,30}\b(?:sets?|splits?|partitions?|folds?)?",
        r"re:\b(?:split|divid|partition)\w*\b[^.;]{0,40}\b(?:image|slice|scan)[- ](?:level|wise)\b",
        r"re:\bpatient overlap (?:between|across|is possible|exists|cannot be excluded)",
    ), (r"re:\b(?:split\w*|sets?|training|test|folds?|partition\w*)\b",))), frozenset({"split"})),
)  # fmt: skip


def admissions(reading: Reading) -> dict[str, tuple[Evidence, ...]]:
    """What the card admits, by the card field whose evidence that undoes."""
    found: dict[str, tuple[Evidence, ...]] = {}
    for facet, fields in _ADMISSIONS:
        result = assess_facet(reading, facet)
        if result.status == "found":
            found.update(dict.fromkeys(fields, result.evidence))
    return found


def lowered(result: FacetResult, against: dict[str, tuple[Evidence, ...]]) -> FacetResult:
    """A facet's result, contradicted where the card admits the contrary in the facet's first field, missing where one group is called a comparison."""
    first = result.facet.where[0] if result.facet.where else ""
    if admitted := against.get(first, ()):
        return FacetResult(result.facet, "contradicted", admitted)
    if first == "subgroups" and result.status == "found" and _COMPARES.search(result.facet.asks) and not _compared(result.evidence):
        return FacetResult(result.facet, "missing")
    return result


_COMPARES = re.compile(r"\b(?:performance|results?|accuracy|metrics?|figures|values)\b", re.I)
_GROUPS = re.compile(
    r"\b(?:wom[ae]n|females?|males?|m[ae]n|girls?|boys?|black|white|asian|hispanic|latin[oa]|older|younger|\d{1,3}\s?(?:-|–|to)\s?\d{1,3}\s?(?:years)?|"
    r"(?:under|over|above|below)\s\d+|[<>≥≤]\s?\d+|"
    r"(?:vendor|site|hospital|cent(?:er|re)|scanner|manufacturer|cohort|type|class|race|group)\s(?:[A-Z]\b|\d+|[IV]+\b)|supine|upright|portable|fixed|GE|"
    r"Siemens|Philips|Canon|Fuji\w*|1\.5\s?T|3\s?T|indian|european|american|urban|rural)\b", re.I,
)  # fmt: skip
_AGAINST_EACH_OTHER = re.compile(
    r"\b(?:sub-?groups?|gaps?|differ\w*|disparit\w*|across|between|compared|worst[- ]group|stratified|each (?:group|sex|site|"
    r"vendor)|by (?:sex|age|race|site|vendor|scanner|gender|ethnicity|skin))\b",
    re.I,
)


def _compared(evidence: tuple[Evidence, ...]) -> bool:
    """Whether quotations set at least two groups beside each other."""
    groups = {m[0].lower() for e in evidence for m in _GROUPS.finditer(e.quote)}
    return len(groups) > 1 or any(_AGAINST_EACH_OTHER.search(e.quote) for e in evidence)
