"""Which tier of the AI Act a described system falls in: prohibited, high-risk, transparency or minimal, with the rule that says so.

Reads a plain description, assuming that the system is on the EU market. Each rule is a row of cues: what the system must do,
and what takes it out again (Annex III's own limits, and the tasks of Article 6(3)). A denied cue does not count. Rules
follow Articles 5, 6 and 50, Annexes I and III as amended in 2026, and the Commission's draft guidelines of May 2026. Knows
nothing of cards, requirements or facts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from assistant.bearing import marks_of, words_of
from assistant.statements import sentences

Tier = Literal["prohibited", "high-risk", "transparency", "minimal", "unknown"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A use the Act names: `cues` must all occur; one of `out` takes it out again, unless one of `still` brings it back."""

    pinpoint: str
    says: str
    cues: tuple[str, ...]
    out: str = ""
    still: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that fired, or was taken out, with the words of the description that made it so."""

    rule: str
    pinpoint: str
    words: str


@dataclass(frozen=True, slots=True)
class Classification:
    """The tier, the provisions it rests on, the reasons, and the Annex III points that were considered."""

    tier: Tier
    basis: tuple[str, ...]
    because: tuple[Reason, ...]
    considered: tuple[str, ...] = ()


# ---- shared vocabulary -------------------------------------------------------------------------------------------------

_BODY = (
    r"(?:biometric\w*|fac(?:e|es|ial)\b|facial\w*|voice ?prints?|voices?\b|speaker recognition|fingerprints?|palm ?prints?|iris(?:es)?\b|retina|gait|"
    r"keystroke|typing rhythm|tattoos?|"
    r"ear shape|heartbeat|vein pattern|body (?:shape|posture|movements?)|postures?|micro-?expressions?)"
)
_JUDGES = (
    r"(?:evaluat\w*|assess\w*|scor(?:e|es|ed|ing)\b|rank\w*|rat(?:e|es|ing|ings)\b|decid\w*|decision\w*|determin\w*|predict\w*|estimat\w*|recommend\w*|"
    r"select\w*|filter\w*|screen\w*|shortlist\w*|prioriti[sz]\w*|"
    r"classif\w*|flag\w*|reject\w*|approv\w*|grant\w*|den(?:y|ies|ied)\b|allocat\w*|assign\w*|match\w*|profil\w*|calculat\w*|comput\w*|analy[sz]\w*|"
    r"judg\w*|mark(?:s|ed|ing)\b|grad(?:es|ed|ing)\b|propos\w*|suggest\w*|infer\w*|identif\w*|detect\w*|compar\w*|review\w*)"
)
_STRONG = (
    r"(?:\bscor(?:e|es|ed|ing)\b|\brank(?:s|ed|ing|ings)?\b|risk (?:score|level|flag|assess\w*|indicator|profile|rating)s?|likelihood|probabilit\w+|"
    r"predict\w* (?:whether|who|the (?:risk|likelihood|probability))|credibilit\w+|shortlist\w*|"
    r"recommend\w* (?:whether|a (?:decision|grade|sentence|measure)|candidates|the most suitable|the award|rejection|approval)|profil(?:e|es|ing)\b|"
    r"prioriti[sz]\w* (?:interventions?|calls?|patients?|applications?|persons?|dispatch)|evaluat\w* (?:the )?(?:eligib|applica|candidate|student|"
    r"employee|performance|personal|credit)\w*|"
    r"decid\w* (?:on|whether|who|which)|determin\w* (?:eligib|whether|who|which|the (?:level|grade|amount|final|risk|right))\w*|eligib\w+)"
)
# Tasks that Article 6(3) lets go: narrow procedure, polishing finished work, patterns in past decisions, preparation.
_SLIGHT = (
    r"(?:transcri\w+|speech[- ]to[- ]text|translat\w+|\bindex\w*|\btagg?(?:s|ing|ed)?\b|file handling|\bOCR\b|convert\w* .{0,40}(?:text|format|"
    r"structured)|structured format|fixed,? (?:predefined )?(?:folder|categor|label)\w*|"
    r"pre-?defined (?:categor|folder|label)\w*|duplicate\w*|completeness|(?:all )?required (?:fields|documents)|missing (?:fields|documents|information|"
    r"attachments?)|formatting|"
    r"schedul\w* (?:interview|appointment|hearing|meeting)\w*|appointments?|interview (?:slots|appointments|times)|calendar|grammar\w*|proof-?read\w*|"
    r"spelling|typograph\w*|(?:style|language|tone|wording|clarity) (?:of|in) (?:.{0,30})(?:written|drafted|completed|judg?ments?|decisions?|reports?)|"
    r"(?:already|previously|fully|finally) (?:been )?(?:written|drafted|completed|finalised|finalized|taken)|after (?:the )?(?:human |manager|judge|"
    r"teacher|officer|case ?worker|clerk|committee)\w*[^.]{0,40}(?:completed|concluded|drafted|decided|finished|written|assess)\w*|"
    r"ex[- ]post|past (?:hiring|admission|eligib|grading|decision|assessment)\w*|completed (?:eligib|decision|assessment|evaluation|file|risk)\w*|"
    r"(?:decision|grading|hiring|marking)[- ](?:making )?patterns?|prior (?:decision|grading)\w*|deviat\w+ from (?:the )?(?:usual|prior|past|previous|"
    r"earlier|expected)|"
    r"inconsisten\w+ (?:in|of|across|between|among) (?:.{0,30})(?:decision|grading|grader|examiner|assess|marking|teacher|instructor)\w*|"
    r"quality (?:control|assurance)|neutral(?:ly)?\b|summari[sz]\w*|metadata|clerical|administrative (?:handling|task|work|routing)|file (?:organi|"
    r"management|storage|handling)\w*|"
    r"organi[sz]\w* (?:and \w+ )?(?:incoming |the |a |case |such )?(?:files?|documents?|applications?|records?|information|CVs?|attendance|data)|(?:sort|"
    r"categori[sz]|classif|rout|file|stor)\w* (?:incoming |received |scanned |submitted )?(?:mail|e-?mails?|documents?|files?|applications|letters|"
    r"enquiries|material)|"
    r"acknowledg\w+ (?:e-?mails?|receipt|letter)|confirm\w* receipt|extract\w* (?:\w+ ){0,3}(?:information|data|text|fields|metadata|names|dates|roles)|"
    r"search (?:tool|engine|function)|pre-?sort\w*|compil\w+|"
    r"anonymi[sz]\w*|pseudonymi[sz]\w*|redact\w*|denois\w*|stabilis\w*|enhanc\w* (?:the )?(?:video|audio|image)\w*|(?:registr|membership|licen[cs]e|"
    r"accreditation|diploma)\w* .{0,60}(?:register|registries|registry|official)|simple (?:calculation|average)|average (?:grade|of)|arithmetic)"
)

# ---- Annex III ---------------------------------------------------------------------------------------------------------

_STUDENT = (
    r"(?:student|pupil|learner|school|universit|college|educat|exam(?:s|ination)?\b|course|classroom|teacher|apprentice|trainee|vocational|admission|"
    r"tutor|homework|scholarship|kindergarten|academ|test[- ]taker)\w*"
)
_WORKER = (
    r"(?:employees?|workers?|staff|workforce|drivers?|couriers?|riders?|freelancers?|self-employed|associates?|tutors?|contractors?|civil servants?|"
    r"personnel|team members?|labou?r|crew|agents|technicians?|nurses|operators?|pickers?|account holders?|sellers)\b"
)
_HIRE = (
    r"(?:recruit\w*|hir(?:e|es|ed|ing)\b|job (?:applica\w*|candidate\w*|advert\w*|ads?\b|interview\w*|posting\w*|offer\w*|match\w*|seeker\w*|opening\w*)|"
    r"vacanc\w*|\bCVs?\b|r[ée]sum[ée]s?|applicants? for (?:a |the )?(?:job|position|post|role|vacanc)\w*|candidates? (?:for|to) |job candidates?|"
    r"talent (?:acquisition|pool)|head-?hunt\w*|open positions?|candidate\w*|employment agenc\w*|staffing|service providers?)"
)
_POLICE = (
    r"(?:police|law[- ]enforcement|investigat(?:ors?|ive|ions?)\b|detectives?|crim(?:e|es|inal|inals|inality)\b|offen[cd](?:e|es|er|ers|ing)\b|suspects?|"
    r"forensic\w*|probation|prisons?|prisoners?|penitentiar\w*|inmates?|detain\w*|parole|prosecut\w*|recidiv\w*|re-?offend\w*|interrogat\w*|custody|"
    r"sheriff|gendarm\w*)"
)
_BORDER = (
    r"(?:border\w*|migra\w+|immigra\w+|asylum\w*|\bvisas?\b|residence permits?|travel authori[sz]ation\w*|travell?ers?|refugees?|consul\w+|\bETIAS\b|"
    r"\bVIS\b|\bSIS\b|frontex|passport\w*|international protection|entry control|secondary inspection|port of entry|overstay\w*|reception cent\w*|"
    r"detention (?:area|cent)\w*)"
)
_COURT = (
    r"(?:judges?\b|judicial\w*|courts?\b|tribunals?|arbitrat\w*|judg?ments?\b|sentenc(?:e|es|ing)\b|case[- ]law|legal proceedings|litigat\w*|mediat(?:or|"
    r"ors|ion)\b|magistrates?|alternative dispute|small claims|adjudicat\w*|jurisprudence|legal precedents?|rulings?)"
)
_VOTE = (
    r"(?:elections?\b|electoral|vot(?:e|es|er|ers|ing)\b|referend\w*|political (?:part|ad|campaign|messag|actor|candidat|advert|view|opinion|content|"
    r"preferenc)\w*|campaign\w*|ballots?|elected)"
)
_ASSIST = (
    r"(?:benefits?\b|allowances?|social (?:security|assistance|welfare|services?|housing|benefit\w*|support|insurance)|welfare|unemployment|"
    r"income support|public (?:assistance|services?|support|housing|authorit\w*|administration\w*|bod(?:y|ies)|health)|pensions?|disability|home[- ]care|"
    r"care (?:hours|benefits|services)|childcare|food aid|municipal\w*|local authorit\w*|case ?handlers?|case ?workers?|healthcare (?:services?|"
    r"benefits?)|health preventive|applications? for (?:health ?care|housing|support)|reimbursement)"
)
_URGENT = (
    r"(?:emergenc\w*|\b112\b|\b911\b|\b999\b|ambulance\w*|fire (?:brigade|fighter|service|department|and rescue)\w*|firefight\w*|first[- ]respon\w*|"
    r"dispatch\w*|life-threatening|call[- ]takers?|rescue|crisis|wildfires?|disaster\w*)"
)
_GRID = (
    r"(?:power (?:grid|plant|line|station|supply|network)s?|grid\b|electric\w*|substations?|gas (?:supply|network|pipe\w*|distribution|grid|pressure|"
    r"storage)|pipelines?|natural gas|water (?:supply|distribution|pressure|network|treatment|works|main|quality|level)\w*|drinking[- ]water|sewage|"
    r"wastewater|dams?\b|reservoirs?|heating (?:network|supply|grid|plant)s?|district heating|boilers?|road (?:traffic|tunnel|user|network|infrastructure|"
    r"safety|surface)\w*|roads?\b|motorways?|highways?|traffic (?:lights?|signals?|control|management|flow|jam)\w*|tunnels?|bridges?|quay\w*|"
    r"level crossings?|public transport|control cent(?:re|er)s?|data cent(?:re|er)s?|cloud computing|internet exchange\w*|\bDNS\b|telecom\w*|5G|"
    r"core network|critical (?:digital )?infrastructure|utilit(?:y|ies)\b|nuclear|transformers?|turbines?)"
)
_GUARDS = (
    r"(?:safety (?:component|function|system|device|critical)\w*|shut(?:s|ting)?[- ]?(?:off|down)\w*|trip(?:s|ping)? (?:the|a)|cut(?:s|ting)? off|"
    r"emergency (?:stop|brak|shut|clos|valve|valv)\w*|fire (?:alarm|suppress|detect|control)\w*|smoke|pressure (?:sensor|monitor|control|valve|drop|limit|"
    r"relief)\w*|(?:water|gas|network) pressure|leak\w*|overflow\w*|overload\w*|overheat\w*|explo(?:de|sion)\w*|collaps\w*|derail\w*|flood(?:s|"
    r"ing)? (?:gate|of|the)|burst\w*|prevent\w* (?:\w+ ){0,4}(?:accident|harm|damage|injur|collision|failure of|blackout|collapse|explosion|fire|"
    r"contaminat)\w*|protect\w* (?:\w+ ){0,5}(?:integrity|infrastructure|life|lives|people|public|persons|users|workers|residents|equipment)|"
    r"contaminat\w*|chlor\w*|collision\w*|hazard\w*|toxic|control\w* (?:\w+ ){0,3}(?:traffic|signals?|valves?|pumps?|lights|barriers?|gates?|voltage|"
    r"speed|flow)|(?:open|clos)\w* (?:\w+ ){0,2}(?:valves?|gates?|barriers?|tunnel)|wrong-way|speed limits?|safe(?:ty|ly)? of|safe operation|"
    r"intelligent traffic|safety)"
)

_RULES: tuple[Rule, ...] = (
    # 1 Biometrics
    Rule("annex-iii(1)(a)", "remote biometric identification", (
        _BODY, r"(?:identif\w*|recogni\w*|match\w*|compar\w*|search\w*|track\w*|locat\w*|find\w*|spot\w*)",
        r"(?:database|data ?base|watch-?list|wanted|gallery|\bCCTV\b|footage|surveillance|live (?:feed|stream|camera)|crowd\w*|street|public (?:space|"
        r"place|square)|remote\w*|at a distance|archiv\w*|known (?:individual|person|speaker|fugitive)|suspect\w*|offender\w*|perpetrator\w*|fugitive\w*|"
        r"missing (?:person|child)\w*|terroris\w*|internet|social media|reverse image|without (?:their|his|her|the person\w*)[^.]{0,30}(?:active|"
        r"involvement|knowledge|consent)|bod(?:y|y-worn) ?cam\w*|stored (?:profile|template|biometric)|reference (?:material|image|data)|station|stadium|"
        r"airport|public figures?|mall|shopping)",
    ), r"(?:verif(?:y|ies|ying|ication)\b|authenticat\w*|one-to-one|1:1|unlock\w*|access control|(?:grant|gain|give|obtain)\w* (?:\w+ ){0,3}(?:access|"
        r"entry)|log(?:ging)?[- ]?in\b|confirm\w* (?:\w+ ){0,4}(?:identity|claimed|claim|that the)|claimed identity|enrol\w*|registered (?:user|person|"
        r"traveller|visitor|employee|themselves)\w*|have registered|ticket\w*|turnstile|e-?gate|smartphone|actively (?:present|approach|participat|"
        r"step)\w*|step\w* in front|number[- ]plates?|licen[cs]e plates?|clothing|cloth(?:es)? colou?r|object (?:detection|recognition)|count(?:s|"
        r"ing)? (?:people|persons|passengers|visitors)|occupancy|anonymi[sz]\w*|blur\w*|deceased|human remains|not (?:based on|using) biometric|"
        r"without (?:extracting|using|matching|identifying)\b[^.]{0,40}(?:biometric|person|individual|feature)\w*|fingerprint sensor|payment|"
        r"structure (?:its|the) content|crime scene|capture fingerprints)"),
    Rule("annex-iii(1)(b)", "biometric categorisation by sensitive attributes", (
        _BODY, r"(?:categor\w*|infer\w*|deduc\w*|classif\w*|assign\w*|predict\w*|group\w*|determin\w*|estimat\w*)",
        r"(?:ethnic\w*|\brac(?:e|ial)\b|religio\w*|politic\w*|sexual orientation|trade union|health (?:data|status|condition)\w*|diseases?|disabilit\w*|"
        r"sensitive (?:attribute|trait|characteristic|data)\w*|protected (?:attribute|characteristic|trait)\w*|skin colou?r|national origin|symptoms?|"
        r"mobility issues)",
    ), r"(?:age (?:estimation|verification)|estimat\w* (?:the )?age|only (?:age|gender)|content moderation|filter app|virtual try|hair colou?r|text)"),
    Rule("annex-iii(1)(c)", "emotion recognition", (
        r"(?:emotion\w*|moods?\b|affective|anger|angry|aggress\w*|frustrat\w*|happy|happiness|sad(?:ness)?\b|boredom|bored|stress levels?|satisfaction|"
        r"excite\w*|feelings?|distress\w* (?:in|from) voice|engagement level)",
        r"(?:fac(?:e|es|ial)\b|voices?\b|vocal|expressions?|postures?|gait|heart rate|pulse|skin conductance|wearable|smart ?watch|camera\w*|biometric\w*|"
        r"gaze|eye (?:movement|closure|track)\w*|tone\b|pitch|body)",
        r"(?:recogni\w*|infer\w*|detect\w*|measur\w*|analy[sz]\w*|monitor\w*|assess\w*|identif\w*|track\w*|gaug\w*|screen\w*|evaluat\w*|flag\w*|read\w*)",
    ), r"(?:drows\w*|falling asleep|fatigue\w*|tired\w*|\bpain\b|los(?:es|ing) focus|typed text|written text|text (?:only|messages|reviews)|"
        r"sentiment (?:analys\w+ )?of (?:text|reviews|posts)|smil(?:e|es|ing) (?:at|is|in)|merely observ\w*|occupational health)"),
    # 2 Critical infrastructure
    Rule("annex-iii(2)", "safety component of critical infrastructure", (_GRID, _GUARDS),
        r"(?:cyber\w*|honeypot|intrusion|phishing|malware|trouble tickets?|customer (?:service|support|need|churn|quer)\w*|billing|tariff|optimi[sz]\w*|"
        r"forecast\w*|demand (?:forecast|predict)\w*|energy (?:demand|consumption|saving|price)|predict\w* (?:energy |electricity |power |"
        r"water )?(?:consumption|demand|price|load)\w*|consumption|meter(?:s|ing)?\b|one (?:measure|of several)|part of a range|(?:can|"
        r"could) function without|predictive maintenance|quality assurance|planning|market|trading|invoice\w*|complaint\w*|analytics|future improvements?|"
        r"service quality|travel time|route (?:recommend|suggest|plan)\w*|parking|insights?|dashboards?|statistic\w*|handled separately|"
        r"not a safety component|spam|entertainment|recommendation)",
        r"(?:automatically (?:shuts?|clos|open|stop|trip|adjust|trigger|activat|isolat|lower|switch)\w*|triggers? (?:a |an |the )?(?:safe|emergency|shut|"
        r"alarm|evacuat)\w*|fire alarm|pressure (?:sensor|relief)|collapse|overflow|explosion\w*|shuts? (?:off|down)|emergency (?:stop|shutdown|brak\w*))"),
    # 3 Education
    Rule("annex-iii(3)(a)", "access or admission to education", (
        _STUDENT, r"(?:admi(?:t|ssion|ssions|tted)\b|enrol\w*|eligib\w*|scholarship\w*|access to (?:\w+ ){0,3}(?:education|school|universit|programme|"
            r"training|course)\w*|assign\w* (?:\w+ ){0,6}(?:school|universit|institution|programme|apprenticeship|place)\w*|"
            r"allocat\w* (?:\w+ ){0,6}(?:school|place|apprenticeship|programme|seat)\w*|places? at|waiting list|(?<!software )applica(?:nts?|tions?)\b|"
            r"match\w* (?:\w+ ){0,4}(?:apprenticeship|training place)\w*|selection of (?:students|pupils|applicants))", _JUDGES,
    ), r"(?:chatbot|answer\w* (?:prospective )?(?:students?'?|questions|quer)\w*|inform(?:s|ing|ation)? (?:prospective|students|about|tool)\w*|"
        r"recommendations? (?:to|for) (?:prospective |secondary |individual )?(?:students|pupils|learners)|matching platform|preferences? and|marketing|"
        r"trend\w*|aggregat\w*|statistic\w*|timetabl\w*|course catalogue|job|recruit\w*|employ(?:er|ee)\w*|indicated (?:preferences|interests)|"
        r"predict (?:overall )?enrol\w* numbers)",
        r"(?:evaluat\w* (?:student |their |the )?applica|score\w* (?:the )?applica|rank\w* (?:the )?applica|decid\w* (?:who|which|whether|on)|"
        r"determin\w* (?:their |the |an )?(?:individual'?s? )?eligib|regional employment agency)"),
    Rule("annex-iii(3)(b)", "evaluation of learning outcomes", (
        _STUDENT, r"(?:grad(?:e|es|ed|ing)\b|mark(?:s|ed|ing)\b|learning outcomes?|assess\w* (?:\w+ ){0,4}(?:student|pupil|learner|trainee|assignment|"
            r"essay|exam|test|work|progress|performance|knowledge|skill)\w*|evaluat\w* (?:\w+ ){0,4}(?:student|pupil|learner|trainee|assignment|essay|"
            r"exam|test|work|progress|performance|knowledge|skill|answer)\w*|scor\w* (?:\w+ ){0,3}(?:essay|exam|test|answer|assignment|student)\w*|"
            r"essays?|feedback|progress|final (?:evaluation|assessment|grade|mark)|steer\w* the learning)", _JUDGES,
    ), r"(?:language[- ]learning (?:app|software|application)\w*|own volition|voluntar\w*|informal|non-formal|self-(?:study|paced|learning|assessment|"
        r"practice)|hobby|pronunciation|companion\w*|exam (?:quality|questions? (?:draft|generat))\w*|(?:generat|creat|draft|produc|"
        r"prepar)\w* (?:\w+ ){0,4}(?:quiz|exercise|worksheet|lesson|teaching|exam question|practice|flashcard|material)\w*|check\w* an exam|plagiari\w*|"
        r"simple (?:calculation|average)|average (?:of |grade)|grading patterns?|instructors over time|aggregate\w*|trend\w*|timetabl\w*|not (?:used|"
        r"intended|count\w*)[^.]{0,40}(?:grad|mark|evaluat|credential|certif)\w*|does not (?:lead|count|grade)\b|employee\w*|staff training|"
        r"recommend\w* (?:learning )?(?:materials|videos|books)|hints?|trivia|entertain\w*|without grad\w*|wearing|dyslexi\w*)",
        r"(?:count(?:s|ing)? (?:towards|to)|propos\w* (?:a )?grades?|final (?:mark|grade|evaluation)|summative|grades? (?:essays?|exams?|student|final)|"
        r"assign\w* (?:a )?(?:grade|mark)s?)"),
    Rule("annex-iii(3)(c)", "appropriate level of education", (
        _STUDENT, r"(?:level (?:of (?:education|support|training)|at which)|(?:course|appropriate|education|training|ability|class|proficiency) levels?|"
            r"placement|streams?\b|track(?:s|ing)? (?:of|for) (?:students|pupils)|beginner\w*|advanced (?:class|course|track)\w*|special (?:education|"
            r"educational|needs)\w*|grade (?:retention|repetition)|gifted|vocational track|secondary (?:track|school type)|school type)", _JUDGES,
    ), r"(?:recommend\w* (?:to|for) (?:the )?(?:students|pupils|learners)|personali[sz]ed (?:educational )?recommendations?|interests? (?:and|they)|"
        r"trend\w*|aggregat\w*|policymakers?|statistic\w*|set of questions|help educators prepare|improv\w* the recommendation|language[- ]learning|"
        r"chatbot|own (?:interest|choice)\w*|prior recommendations|wording|job|recruit\w*)"),
    Rule("annex-iii(3)(d)", "monitoring of behaviour during tests", (
        r"(?:exam(?:s|ination|inations)?\b|tests?\b|test[- ]takers?|proctor\w*|certification|quiz\w*|assessment)",
        r"(?:proctor\w*|cheat\w*|prohibited behaviou?r|misconduct|unauthori[sz]ed (?:material|device|aid|help|resource)\w*|suspicious behaviou?r|"
        r"impersonat\w*|fraud during|looking away|copying|screen monitoring)", r"(?:monitor\w*|detect\w*|analy[sz]\w*|flag\w*|proctor\w*|observ\w*|"
        r"watch\w*|alert\w*|record\w*|identif\w*|behaviou?r)",
    ), r"(?:plagiari\w*|homework|cafeteria|hallway|playground|bully\w*|identity (?:verification|document)\w*|matches the registered|confirm\w* (?:or deny|"
        r"that the person)|human proctor observes|software test\w*|non-academic|penetration)"),
    # 4 Employment
    Rule("annex-iii(4)(a)", "recruitment or selection", (
        _HIRE, r"(?:rank\w*|scor(?:e|es|ed|ing)\b|screen\w*|filter\w*|shortlist\w*|match\w*|evaluat\w*|assess\w*|select\w*|target\w*|background checks?|"
            r"sourc(?:e|es|ing)\b|search\w* (?:\w+ ){0,4}(?:social media|professional|job boards?|profiles)|analy[sz]\w*|identif\w*|recommend\w*|"
            r"reject\w*|predict\w*|rat(?:e|es|ing)\b|suitab\w*|invit\w* to)",
        r"(?:candidates?|applicants?|applications?|\bCVs?\b|r[ée]sum[ée]s?|job|vacanc\w*|recruit\w*|service providers?|apprentic\w*|interview\w*|workers?|"
        r"pilots?|positions?)",
    ), r"(?:job[- ]seekers? (?:to|with|find)|(?:used|uploaded) by (?:the )?(?:candidates?|job[- ]?seekers?)|assist\w* (?:candidates|job[- ]?seekers|"
        r"applicants) in|tailor\w* (?:their|the|a) (?:CV|r[ée]sum)\w*|exclusively shared with the candidate|recommend\w* (?:vacancies|jobs|positions|"
        r"suitable (?:jobs|vacancies)) to (?:the )?(?:candidate|user|job)\w*|discriminatory wording|non-inclusive|inclusive language|wording (?:in|"
        r"of) (?:job )?ad\w*|(?:writ|draft|generat|improv)\w* (?:\w+ ){0,3}job (?:ad|description|posting|advert)\w*|employer brand\w*|"
        r"brand(?:ing)? advert\w*|reputation|onboarding|schedul\w* (?:job )?interviews?|interview (?:appointments?|slots?|time)|calendar|acknowledg\w*|"
        r"confirm\w* receipt|verif\w* (?:professional |academic )?(?:accreditation|diploma|certificate|licen[cs]e|membership)\w*|official registr\w*|"
        r"past hiring|hiring (?:patterns?|outcomes)|audit\w*|recogni[sz]ing and organi[sz]ing|organi[sz]\w* (?:the )?information|pars(?:e|es|ing) (?:CVs|"
        r"r[ée]sum)\w*|extract\w* (?:\w+ ){0,3}(?:from|fields|information)|political|election\w*|tenant\w*|customer support|answers? (?:frequently|"
        r"general|candidates' questions|questions about))",
        r"(?:rank\w* (?:the )?(?:candidates?|applicants?|them|job applicants|service providers|self-employed)|ranking candidates|score[sd]? (?:each |the |"
        r"every )?(?:candidate|applicant)s?|shortlist\w*|reject\w*|numerical score)"),
    Rule("annex-iii(4)(b)", "decisions on work relations, task allocation or performance", (
        _WORKER, r"(?:promot(?:e|ed|ion|ions)\b|terminat\w*|dismiss\w*|fir(?:e|ed|ing) (?:of )?(?:workers|employees|staff)|lay-?offs?|redundan\w*|"
            r"suspend\w*|deactivat\w*|disciplin\w*|allocat\w*|assign\w*|shifts?\b|rosters?\b|tasks?\b|performance|productivity|behaviou?r\w*|pay\b|wages?|"
            r"salar\w*|compensation|bonus\w*|fares?|monitor\w*|evaluat\w*|rating\w*|work schedul\w*|idle time|attrition|burn-?out risk)",
        r"(?:evaluat\w*|assess\w*|scor(?:e|es|ed|ing)\b|rank\w*|monitor\w*|allocat\w*|assign\w*|decid\w*|determin\w*|suspend\w*|adjust\w*|calculat\w*|"
        r"track\w*|recommend\w*|predict\w*|rat(?:e|es|ing|ings)\b|measur\w*|analy[sz]\w*|dismiss\w*|terminat\w*|select\w*)",
    ), r"(?:voluntary training|training (?:modules?|progress|performance)|learning recommendations?|desk (?:booking|allocation)|office space|"
        r"meeting rooms?|(?:business|corporate) travel|flights?|hotels?|parcels?|shipping data|labelling|free to (?:ignore|decline|choose)|no penalt\w*|"
        r"attendance records? into|dashboards? that|structured reports|refin\w*|writing assistant|improv\w* (?:the )?(?:language|clarity|wording|style)|"
        r"expense\w*|onboarding|answers? (?:common |employees' |hr )?questions|payroll calc\w*|cafeteria|anonymous survey|workplace safety only|"
        r"fatigue (?:detection|warning)|safety helmet|protective equipment|machine (?:maintenance|failure)|call cent(?:re|er) customers?|court|judges|"
        r"students?|campaign staff|volunteers?|appointments?|patients?|aggregated? (?:and anonymous|team)|general (?:staffing|demand) forecast|"
        r"demand (?:is|forecast)|IT tickets?|meeting minutes)",
        r"(?:performance scores?|individual (?:performance|behaviou?r)|highest performing|suspends|pay multipliers?|dismiss\w*|terminat\w*|"
        r"promotion (?:decision|ranking)s?)"),
    # 5 Essential services
    Rule("annex-iii(5)(a)", "eligibility for public benefits and services", (
        _ASSIST, r"(?:eligib\w*|entitle\w*|grant\w*|reduc(?:e|es|tion)\b|revo(?:ke|kes|cation)\b|reclaim\w*|qualif\w*|applica(?:nts?|tions?)\b|claims?\b|"
            r"fraud\w*|irregularit\w*|prioriti[sz]\w*|allocat\w*|award\w*|amounts?|access to|receiv\w* (?:the |of the )?(?:benefit|support|care|"
            r"service)\w*|invitations?)",
        r"(?:evaluat\w*|assess\w*|scor(?:e|es|ed|ing)\b|rank\w*|decid\w*|decision\w*|determin\w*|predict\w*|recommend\w*|prioriti[sz]\w*|flag\w*|"
        r"detect\w*|analy[sz]\w*|calculat\w*|check\w*|allocat\w*|suggest\w*|classif\w*|answer\w*)",
    ), r"(?:proactive\w*|identif\w* persons in need|match\w* persons? with|pre-?fill\w*|by which body|who should assess|competent (?:person|body)|"
        r"compan(?:y|ies)\b|businesses|legal persons?|grants? for (?:companies|research)|procurement|factual questions|frequently asked|opening hours|"
        r"translat\w*|convert\w* speech|speech (?:in)?to text|transcri\w*|summari[sz]\w*|references to the relevant legal provisions|past eligibility|"
        r"completed by|chatbot (?:that )?(?:inform|guid|explain)\w*|inform\w* citizens|appointment\w*|traffic|tax (?:return|advice)|library|"
        r"private insurance|credit\w*|loans?\b|election\w*|schedul\w*|bed[- ]management|public transport|law enforcement|police|border\w*|asylum|visa\w*|"
        r"student\w*|school\w*|court\w*|judg\w*|insurer\w*|forecast\w* (?:overall |total )?(?:demand|budget)\w*)",
        r"(?:fraud (?:indicator|risk|score)s?|grant or refuse|entitle\w* to|scoring system|(?:evaluat|assess|determin)\w* (?:\w+ ){0,4}eligib\w*)"),
    Rule("annex-iii(5)(b)", "creditworthiness of natural persons", (
        r"(?:credit(?:worth\w*| scor\w*| rating\w*| risk\w*| decision\w*| applica\w*| limit\w*)?|loans?\b|mortgages?|lend(?:er|ers|ing)\b|borrowers?|"
        r"buy now|overdraft|instal?ment|solvenc\w*|tenants?)",
        r"(?:scor(?:e|es|ed|ing)\b|evaluat\w*|assess\w*|predict\w*|decid\w*|decision\w*|approv\w*|rat(?:e|es|ing)\b|creditworth\w*|likelihood|"
        r"probabilit\w*|default\w*|numerical representation|determin\w*|reject\w*)",
        r"(?:individuals?|natural persons?|consumers?|customers?|applicants?|borrowers?|persons?|people|households?|private|mortgages?|tenants?|retail|"
        r"clients?|income|payment behaviou?r|owner)",
    ), r"(?:fraud\w*|money laundering|compan(?:y|ies)\b|corporat\w*|legal persons?|balance sheets?|\bSMEs?\b|marketing|tailored information|"
        r"suitability of a product|segment\w*|customer support|understand\w* or complet\w*|explain\w*|complaints?|prudential|capital requirement\w*|"
        r"credit exposures?|after credit (?:is|was) granted|internal (?:risk|capital|monitoring)|collateral|margin credit|securities|stock|"
        r"pricing simulation\w*|property valuation|chatbot|credit card fraud|anti-)",
        r"(?:small business owner|sole trader|self-employed)"),
    Rule("annex-iii(5)(c)", "risk and pricing in life and health insurance", (
        r"(?:(?:life|health|medical|long-term care|critical illness)[- ](?:and (?:health|life) )?(?:insur\w*|cover\w*|polic\w*)|insur(?:er|ers|ance|ed)\b)",
        r"(?:risk\w*|pric(?:e|es|ed|ing)\b|premiums?|underwrit\w*|tariffs?|mortality|expected (?:annual )?(?:medical )?costs?)",
        r"(?:life|health|medical|mortality|illness|lifestyle)",
    ), r"(?:claims? (?:management|handling|process\w*|settle\w*|is valid)|claims?\b|product design|fraud\w*|car insurance|motor|home insurance|"
        r"household insurance|property|marketing|complaint\w*|chatbot|travel insurance|pet insurance|policy terms|not intended[^.]{0,40}individual|"
        r"reinsur\w*)",
        r"(?:review\w* applications|mortality tables|premium charged|sets? (?:the )?premiums?|individual premium\w*|underwrit\w*)"),
    Rule("annex-iii(5)(d)", "emergency calls, dispatch and triage", (
        _URGENT, r"(?:classif\w*|prioriti[sz]\w*|priority|dispatch\w*|triag\w*|urgen\w*|sever(?:e|ity)\b|rout(?:e|es|ing)\b|evaluat\w*|assess\w*|rank\w*|"
            r"allocat\w*|decision support|life-threatening|nature and|trigger\w*)",
        r"(?:calls?\b|callers?|dispatch\w*|patients?|triag\w*|responders?|ambulance\w*|interventions?|emergency (?:department|service|response|room|"
        r"medical|healthcare|first)\w*|chatbot\w*|crews?|vehicles?|fire\w*|chat-based|contacts)",
    ), r"(?:transcri\w*|simulat\w*|training (?:environment|exercise|scenario|platform)\w*|appointments?|healing time|bed[- ]?management|room-|"
        r"identify patients|biometric parameters|lack of connectivity|convey traffic|before emergency|early[- ]warning|forecast\w*|flood-prone|"
        r"spread patterns|pre-?position\w*|preparatory intelligence|weather risk|situational awareness|body temperature|translat\w*|elective|inventory|"
        r"maintenance of (?:ambulance|vehicle)s|after the incident|debriefing|mitigation strategies|road (?:accident|segment)s?|traffic accident\w*)",
        r"(?:automatically triggers? the dispatch\w*|clear recommendations? (?:of|on)|alert the human call-taker|establish\w* prioriti[sz]ation|"
        r"listening for signs)"),
    # 6 Law enforcement
    Rule("annex-iii(6)(a)", "risk of becoming a victim", (
        r"(?:victims?|traffick\w*|domestic violence|intimate partner|stalking|vulnerab\w*)", r"(?:risks?\b|probabilit\w*|likelihood|vulnerab\w*)",
        r"(?:assess\w*|determin\w*|estimat\w*|predict\w*|scor\w*|evaluat\w*|detect\w*)", r"(?:police|law[- ]enforcement|crim\w*|violence|restraining|"
        r"traffick\w*|judicial|offen\w*|exploit\w*)",
    ), r"(?:environment|location-?(?:focused|based)?\b|locations?|neighbourhood\w*|road|accidents?|overcrowd\w*|stampede\w*|flood\w*|wildfire\w*|"
        r"crime scene|structural|drone|robot|similar (?:victim|break)\w*|advertis\w*|content|posts?)",
        r"(?:individual'?s? risk|risk faced by a|risk of an individual)"),
    Rule("annex-iii(6)(b)", "polygraphs and similar tools of law enforcement", (
        r"(?:polygraph\w*|lie[- ]detect\w*|decept\w*|truthful\w*|veracity|lying|credibility of (?:the )?(?:answers?|statements?|suspect\w*|witness\w*))",
        r"(?:police|law[- ]enforcement|interrogat\w*|suspects?|investigat\w*|witness\w*|prosecut\w*|crim\w*|questioning)",
    ), r"(?:fatigue|stress levels of (?:police )?officers|without drawing conclusions|transcri\w*|polygraph examiners|border\w*|visa\w*|asylum|insurance|"
        r"migra\w*|job)"),
    Rule("annex-iii(6)(c)", "reliability of evidence", (
        r"(?:evidence|documents?|recordings?|footage|signatures?|digital (?:images?|traces?|forensic\w*)|statements?|informants?|witness\w*|videos?|"
        r"photos?)", r"(?:reliab\w*|authentic\w*|manipulat\w*|alter(?:ed|ation|ations)\b|forg(?:ed|ery)\b|tamper\w*|genuine\w*|credib\w*|deepfakes?|"
        r"falsif\w*|internal consistency|integrity of)", _POLICE,
    ), r"(?:reconstruct\w*|(?:image|video|audio) enhancement|enhanc\w*|data recovery|recover\w*|visuali[sz]\w*|patterns in investigations|correlat\w*|"
        r"child sexual|\bCSAM\b|advertis\w*|ballistic\w*|index\w*|tagg\w*|categor(?:y|ies|isation)|classify documents|without (?:evaluating|assessing)|"
        r"border\w*|visa\w*|asylum|migra\w*|judges\b|judg?ments?\b|polygraph\w*|translat\w*|crime scenes? (?:to|recon))",
        r"(?:detect whether|flagging elements requiring|assessing the reliability|evaluat\w* the authenticity|credibility of (?:informants|witnesses))"),
    Rule("annex-iii(6)(d)", "risk of offending or re-offending", (
        r"(?:re-?offend\w*|recidiv\w*|offending|risk of (?:committing|violence|escape|a crime|crime)|commit\w* (?:a |an |further |serious |new )*(?:crim|"
        r"offen)\w*|parole|conditional release|bail\b|pre-?trial|dangerousness|criminal (?:career|behaviou?r|record)|violent|radicali[sz]\w* risk)",
        r"(?:risk\w*|likelihood|probabilit\w*|predict\w*|assess\w*|scor\w*|evaluat\w*|estimat\w*)", r"(?:police|law[- ]enforcement|probation|prison\w*|"
        r"penitentiar\w*|court\w*|detain\w*|suspects?|offenders?|crim\w*|inmate\w*|custod\w*|parole|judge\w*|individuals?|persons?)",
    ), r"(?:locations?|neighbourhood\w*|places|timeframes?|geospatial|hot ?spots?|areas?\b|districts?|streets?|required fields|form\b|mismatched|"
        r"pre-?sorts?|prepare a case file|collects and|case file for|transaction\w*|insurance|border\w*|similar (?:break|thefts)\w*|index\w*|"
        r"modus operandi)",
        r"(?:individual risk|risk score that)"),
    Rule("annex-iii(6)(e)", "profiling while crimes are detected, investigated or prosecuted", (
        r"(?:profil\w*|potential suspects?|singl\w* out|individuali[sz]ed|person[- ]level|classify (?:users|persons|individuals|people)|extremis\w*|"
        r"radicali[sz]\w*|personality traits|behaviou?ral indicators?|list of suspects|suspects? based on|registr\w* and their movements)",
        r"(?:police|law[- ]enforcement|crim\w*|investigat\w*|suspects?|terror\w*|extremis\w*|radical\w*|offender\w*|prosecut\w*)",
        r"(?:identif\w*|detect\w*|flag\w*|analy[sz]\w*|classif\w*|generat\w*|scor\w*|predict\w*|infer\w*|monitor\w*)",
    ), r"(?:neighbourhoods? and assign\w*|criminality scores|mapping|transaction\w*|money laundering|crime[- ]linkage|linking (?:cases|incidents|crimes)|"
        r"similarit\w+ across|identify patterns and similarities|content that|without (?:profiling|linking)|ballistic\w*|number[- ]plate\w*|tax|customs|"
        r"goods|containers?|cyber\w*)"),
    # 7 Migration, asylum, border
    Rule("annex-iii(7)(a)", "polygraphs and similar tools in migration", (
        _BORDER, r"(?:polygraph\w*|lie[- ]detect\w*|decept\w*|truthful\w*|veracity|lying|credibility (?:indicator|score|signal|assessment)\w*|"
            r"supplementary indicators?)", r"(?:interview\w*|question\w*|voice\w*|verbal|non-verbal|answers?|statements?|responses?|fac(?:e|es|ial)\b|"
            r"officer\w*)",
    ), r"(?:does not (?:infer|assess|detect)|without (?:credibility|any credibility|inferring)|transcri\w*|translat\w*|summar\w*|denois\w*|normali[sz]e)"),
    Rule("annex-iii(7)(b)", "risk posed by a person entering", (
        _BORDER, r"(?:risks?\b|threats?\b|likelihood|overstay\w*|security (?:flag|concern)s?)", r"(?:travell?ers?|applicants?|persons?|individuals?|"
            r"migrants?|passengers?|visitors?|asylum[- ]seekers?|named|people)", r"(?:scor\w*|flag\w*|assess\w*|predict\w*|rank\w*|rat(?:e|es|ing)\b|"
            r"comput\w*|evaluat\w*|infer\w*|generat\w*|alert\w*|analy[sz]\w*|classif\w*)",
    ), r"(?:aggregat\w* (?:level|data|form)|anticipat\w* flows|forecast\w*|trends and patterns|group as having|incoming group|flag vehicles|"
        r"stolen vehicles|vehicles? (?:with|transiting|to)|technical inspection|goods|consignments?|cargo|after human assessment|duplicate entries|"
        r"completeness|search[- ]and[- ]rescue|queue\w*|crowd|translat\w*|transcri\w*|without (?:producing|creating|any risk|identifying))",
        r"(?:named travell?ers?|individual (?:risk|alert|irregular)|per-person|person-level|risk score)"),
    Rule("annex-iii(7)(c)", "examining who may get asylum, a visa or residence", (
        _BORDER, r"(?:applica\w*|eligib\w*|examin\w*|credib\w*|authentic\w*|plausib\w*|evidence|narratives?|country of origin|region of origin|dialect|"
            r"discrepanc\w*|complaints?|claims?\b|document (?:morphing|verification|fraud)|case file\w*|routes?,? timelines)",
        r"(?:assess\w*|examin\w*|evaluat\w*|validat\w*|detect\w*|verif\w*|identif\w*|analy[sz]\w*|decid\w*|determin\w*|score\w*|recommend\w*|indicat\w*|"
        r"compar\w*|flag\w*)",
        r"(?:asylum|visas?|residence permits?|international protection|eligib\w*|migrants?|examin(?:er|ation|ing)|refugee\w*|applicants?|immigration)",
    ), r"(?:frequently asked|\bFAQs?\b|guide\w* users|appointments?|status notifications?|organi[sz]\w* a case file|pre-?defined categories|"
        r"without ranking|completeness|formatting|required fields|verbatim|string-level|payment of a fixed fee|transcri\w*|translat\w*|neutral (?:summar|"
        r"output)\w*|harmoni[sz]\w*|correct grammar|past,? completed|decision-making patterns|quality-assurance|metadata|scan(?:ning|s) each|queue\w*|"
        r"crowd|aggregate\w*|infrared|drones?|facial recognition|without (?:assessing|producing|advising|person detection|generating)|schedul\w*|"
        r"general indicators)",
        r"(?:credibility (?:signals?|scores?)|signals used in|eligibility (?:reasoning|appraisal|of))"),
    Rule("annex-iii(7)(d)", "detecting, recognising or identifying persons at the border", (
        _BORDER, r"(?:detect\w*|recogni\w*|identif\w*|track\w*|monitor\w*|surveil\w*)", r"(?:persons?|people|individuals?|human presence|humans|migrants?|"
            r"travell?ers?|facial|biometric\w*|hidden)", r"(?:camera\w*|drones?|satellite|towers?|unmanned|thermal|infrared|sensor\w*|facial recognition|"
            r"live|surveillance|radar|biometric\w*|maritime|vehicles?|areas?|gate\w*)",
    ), r"(?:search[- ]and[- ]rescue|in distress|lifesaving|verif\w* (?:travel|identity)|document verification|travel documents?|passport'?s? chip|"
        r"collision avoidance|obstacles?|historical data|crowd size|gate occupancy|queues?|balance lanes|stabili[sz]e|denois\w*|enhance video|"
        r"number[- ]plate\w*|licen[cs]e-plate|stolen vehicles|wildlife|age and gender|infer\w* (?:\w+ )?age|risk (?:score|flag|assess)\w*|terminals|"
        r"without (?:any |performing |person |detecting|creating)\w*)",
        r"(?:live facial recognition|prompt second-line|border-control response|interception)"),
    # 8 Justice and democracy
    Rule("annex-iii(8)(a)", "assisting a judicial authority with facts and law", (
        _COURT, r"(?:research\w*|interpret\w*|apply\w* (?:the )?law|applies|draft\w*|generat\w*|suggest\w*|propos\w*|predict\w*|recommend\w*|"
            r"identif\w* (?:applicable|relevant|legal)|legal reasoning|reasoning|outcome\w*|precedents?|decid\w*|assess\w*|sentenc\w*)",
        r"(?:facts?\b|law\b|laws\b|decisions?|judg?ments?|cases?\b|sentenc\w*|rulings?|precedents?|disputes?|claims?\b|orders?)",
    ), r"(?:transcri\w*|speech-to-text|chatbots? (?:offered|on|for visitors)|visitors to the website|press releases?|summaries on|accessible summar\w*|"
        r"assign\w* cases|case assignment|workload|managing and searching|chronolog\w*|anonymi[sz]\w*|pseudonymi[sz]\w*|ancillary|delivery addresses|"
        r"pre-?classif\w*|metadata|procedural roles|database of (?:national )?case law|keyword\w*|proof-?read\w*|improving the style|already drafted|"
        r"after the judge has drafted|compliance check|schedul\w*|hearing (?:dates?|rooms?)|translat\w*|law firms?|in-house counsel|contract (?:review|"
        r"drafting)|lawyers?|police|probation|recidiv\w*|re-?offend\w*|intimate partner|restraining|court fees|payment of|internal communication|"
        r"statistic\w*|billing|associates)",
        r"(?:drafts? of judicial decisions|generates? \(?drafts?\)? (?:decisions|judg|orders)|identifies applicable law|suggests how they apply|"
        r"legal reasoning patterns|recommend\w* (?:a )?sentence)"),
    Rule("annex-iii(8)(b)", "influencing elections or voting", (
        _VOTE, r"(?:influenc\w*|target\w*|persuad\w*|micro-?target\w*|recommend\w*|personali[sz]\w*|ad delivery|messag\w*|convinc\w*|sway\w*|nudg\w*|"
            r"mobili[sz]\w*|tailor\w*|simulat\w* (?:a )?(?:political|dialogue))",
        r"(?:voters?|vote|users?|persons?|people|citizens?|individuals?|recipients?|audiences?|ads?\b|advertis\w*|candidates? or|part(?:y|ies))",
    ), r"(?:campaign staff|scheduling rallies|logistics|organi[sz]\w* (?:rallies|campaign|volunteers)|donor\w*|donation\w*|likelihood of contributions|"
        r"draft\w* (?:political )?(?:slogans?|speech|content|text)\w*|generat\w* political advertising content|reviewed (?:and|by)|elected officials|"
        r"legislative proposals|sociological|objective and transparent|academic|research purposes|counting ballots|count(?:s|ing)? (?:votes|ballots)|"
        r"tally\w*|mechanical|politically neutral|election authorit\w*|checks the tone|already written|fact-?check\w*|bots?\b detection|polling stations?|"
        r"voting times|opinion polls?|disinformation detection|translat\w*)",
        r"(?:optimi[sz]e the targeting|simulating political dialogue|recommend political parties|persuade)"),
)  # fmt: skip

# ---- Articles 5, 6(1) and 50 -------------------------------------------------------------------------------------------

_PROHIBITED: tuple[Rule, ...] = (
    Rule("art-5(1)(a)", "harmful manipulation", (r"(?:subliminal|manipulat\w*|deceptive technique)\w*",
        r"(?:distort\w*|harm\w*|without (?:their|the user'?s?) awareness|against their (?:interest|will))\w*"),
        r"(?:detect\w*|digital images|alter|forensic|tamper|evidence)"),
    Rule("art-5(1)(b)", "exploiting vulnerabilities", (r"(?:exploit\w*)", r"(?:vulnerabilit\w*|children|elderly|disabilit\w*|poverty|social situation)\w*",
        r"(?:behaviou?r|purchase|harm|addict|spend)\w*"), r"(?:traffick\w*|victim\w*|security|cyber\w*|patch\w*)"),
    Rule("art-5(1)(c)", "social scoring", (r"(?:social (?:credit|scor\w+)|scor\w* (?:of )?(?:citizens|people|residents|persons)|citizen score|"
        r"trustworthiness of (?:citizens|people|residents|persons))", r"(?:behaviou?r\w*|social|conduct|habits|unrelated|trustworth\w*)"),
        r"(?:not a prohibited|credit agency|lender)"),
    Rule("art-5(1)(d)", "crime prediction from profiling alone", (r"(?:predict\w*|risk)\b", r"(?:commit\w* (?:a |an |future )?(?:crim|offen)\w*|"
        r"future (?:crim|offen)\w*|will offend)", r"(?:solely|only|exclusively|purely)\b[^.]{0,60}(?:profil\w*|personality|traits|nationality|"
        r"characteristic)\w*"), r"(?:locations?|areas?\b)"),
    Rule("art-5(1)(e)", "untargeted scraping of faces", (r"(?:scrap\w*|harvest\w*|untargeted)", r"(?:fac(?:e|es|ial)\b)",
        r"(?:internet|CCTV|social media|web)"), ""),
    Rule("art-5(1)(f)", "emotion recognition at work or in education", (r"(?:emotion\w*|moods?\b|affective|bored(?:om)?\b|frustrat\w*|feelings?|engagement)",
        r"(?:fac(?:e|es|ial)\b|voices?\b|vocal|expressions?|postures?|biometric\w*|camera\w*|webcams?|wearable\w*|heart rate|gaze)",
        r"(?:employees?|workers?|workplace|staff|call[- ]?cent(?:re|er) agents?|students?|pupils?|classroom|school|job (?:interview|candidate|"
        r"applicant)\w*)", r"(?:infer\w*|recogni\w*|detect\w*|monitor\w*|measur\w*|analy[sz]\w*|assess\w*)"),
        r"(?:customers?|fatigue|drows\w*|safety reasons|medical|therap\w*|patients?|occupational health|autis\w*|typed text|players?|audience)"),
    Rule("art-5(1)(g)", "biometric categorisation to infer sensitive traits", (_BODY, r"(?:infer\w*|deduc\w*|determin\w*|predict\w*)",
        r"(?:political opinions?|trade union|religio\w* (?:belief|affiliation)\w*|sexual orientation|sex life)"),
        r"(?:label\w*|filter\w* (?:of )?lawful|text|content)"),
    Rule("art-5(1)(h)", "real-time remote identification by police in public", (r"(?:real[- ]time|live)\b", _BODY,
        r"(?:public (?:space|place|square|area)s?|publicly accessible|streets?|crowd\w*)", r"(?:police|law[- ]enforcement)"),
        r"(?:missing|terroris\w*|exempt\w*|border\w*|authori[sz]ed|kidnap\w*|traffick\w*|victims?)"),
)  # fmt: skip

_MEDICAL = (
    r"(?:diagnos\w*|treat(?:ment|ing)?\b|therap\w*|prognos\w*|triag\w*|radiolog\w*|radiograph\w*|patholog\w*|dermato\w*|mammogra\w*|\bCT\b|\bMRI\b|"
    r"ultrasound|x-?rays?|ECG|EEG|lesions?|tumou?rs?|cancer\w*|sepsis|stroke|fractures?|haemorrhage|hemorrhage|"
    r"pneumothora\w*|pneumonia|nodules?|polyps?|retinopath\w*|glucose|insulin|pacemaker\w*|surg(?:ery|ical|eon|ical robot)\w*|clinical(?:ly)?|"
    r"segment\w* (?:of )?(?:organs?|tumou?rs?|liver|brain)|medical images?|endoscop\w*|histolog\w*|arrhythmi\w*|disease\w*)"
)
_PRODUCT = (
    (r"annex-i(11)", "a medical device that needs a notified body", _MEDICAL, r"(?:patients?|clinicians?|radiologists?|physicians?|doctors?|hospitals?|"
    r"medical|dermatolog\w+|nurses?|surgeons?|users?\b|moles?\b|scans?\b|images?\b)"),
    (r"annex-i(12)", "an in vitro diagnostic device that needs a notified body", r"(?:in vitro|IVD\b|blood samples?|assays?|laborator\w* (?:test|"
    r"result)s?|biopsy slides?|sequencing|pathogen\w*)", r"(?:diagnos\w*|patients?|clinical|screen\w*|detect\w*)"),
    (r"annex-i(1)", "a machine's safety component", r"(?:machin(?:e|es|ery)\b|industrial robots?|robot(?:ic)? arms?|presses?\b|conveyor\w*|cobots?)",
    r"(?:safety (?:component|function|stop)\w*|emergency stop|stops? (?:the|when)|protect\w* workers|detect\w* (?:persons?|workers?|hands?|people) (?:in|"
    r"near|entering))"),
    (r"annex-i(4)", "a lift's safety component", r"(?:lifts?\b|elevators?)", r"(?:safety|brak\w*|door (?:lock|sensor)|overspeed)"),
    (r"annex-i(2)", "a toy", r"(?:toys?\b|dolls?\b)", r"(?:child\w*|play\w*|safety)"),
    (r"annex-i(13)", "civil aviation, vehicles, rail or marine equipment", r"(?:aircraft|autopilot|aviation|autonomous (?:vehicle|driving|car|truck|"
    r"bus)\w*|self-driving|train control|rail (?:signal|vehicle)\w*|ship|vessel)", r"(?:safety|brak\w*|control\w*|collision\w*|steer\w*|driv\w*)"),
)  # fmt: skip
_NO_PRODUCT = (
    r"(?:research (?:use )?only|not (?:a |intended as a )?medical device|not for clinical use|administrative|billing|appointment\w*|schedul\w*|"
    r"bed[- ]management|healing time|coding of|reimburs\w*|insur\w*|benefits?\b|eligib\w*|transcri\w*|summari[sz]\w*|wellness|fitness|"
    r"without performing clinical|case ?handlers?|preventive screening|claims?\b|inventory|staff|recruit\w*|student\w*|exam\w*|police|border\w*)"
)

_TALKS = (
    r"(?:chat-?bots?|conversational (?:agent|assistant|AI)|voice assistants?|virtual (?:assistant|agent|spokesperson)s?|voice bots?|"
    r"interacts? (?:directly )?with (?:natural persons|people|users|customers|patients|citizens|visitors|voters))"
)
_MAKES = (
    r"(?:generat\w* (?:\w+ ){0,4}(?:texts?|images?|videos?|audio|speech|music|reports?|content|letters?|summar\w+|pictures?|voices?|captions?|slogans?)|"
    r"deep-?fakes?|synthetic (?:images?|audio|video|voices?|content|media|text)|text-to-(?:image|speech|video)|image generator|generative AI|"
    r"language model)"
)


# ---- deciding ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})" if not pattern.startswith("\\b") else pattern, re.IGNORECASE)


class Description:
    """A system's description, with the stretches in which something is denied."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.denied: list[tuple[int, int]] = []
        for start, end in sentences(text, 0, len(text)):
            words = words_of(text[start:end])
            self.denied.extend((start + m.scope[0], start + m.scope[1]) for m in marks_of(words) if m.kind in ("negation", "prohibition"))

    def find(self, pattern: str, denied_too: bool = False) -> str:
        """The first words that fit and are not denied, or ""."""
        if not pattern:
            return ""
        for m in _compiled(pattern).finditer(self.text):
            if denied_too or not any(s <= m.start() < e for s, e in self.denied):
                return m[0]
        return ""

    def all(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Words for each pattern, or () where one of them is not there."""
        found = []
        for pattern in patterns:
            words = self.find(pattern)
            if not words:
                return ()
            found.append(words)
        return tuple(found)

    def count(self, pattern: str) -> int:
        """How many different words fit and are not denied."""
        return len({m[0].lower() for m in _compiled(pattern).finditer(self.text) if not any(s <= m.start() < e for s, e in self.denied)})


_CREDIT = r"(?:credit\w*|loans?\b|mortgages?|lend\w*|borrow\w*|insur\w*|collateral|premiums?)"
_CUSTOMER = r"(?:healthcare|preventive (?:care|screening)|patients?|hospitals?|customers?)"
_AREAS: tuple[tuple[int, str, float], ...] = (
    (1, _BODY, 1.2), (1, r"(?:emotion\w*|smil\w*|mood\b|selfies?|fingers?\b|eyelids?|webcams?|thermal images|count\w* (?:people|persons)|"
    r"estimates? (?:the |from [^.]{0,30})?(?:age|how many people)|age estimation|presence of humans|gender|content moderation|drows\w*|biometric\w*|"
    r"number[- ]plate\w*)", 1.0),
    (2, _GRID, 1.1), (3, _STUDENT, 1.0), (4, _HIRE, 1.0), (4, _WORKER, 0.8), (4, r"(?:compan(?:y|ies)\b|employer\w*|workplace\w*|business travel|"
    r"deliver(?:y|ies)\b|platform work|human resources|\bHR\b|shifts?\b)", 0.8),
    (5, _ASSIST, 0.8), (5, _CREDIT, 1.2), (5, _URGENT, 0.8), (5, _CUSTOMER, 0.8), (6, _POLICE, 1.0), (6,
    r"(?:evidence|polygraph\w*|victim\w*|\bCSAM\b|child sexual abuse|weapons?|stampede\w*|overcrowd\w*)", 1.0),
    (7, _BORDER, 1.3), (7, r"(?:eligib\w* files?|applicant\w*|at sea|search[- ]and[- ]rescue|case ?workers?|interview notes|country of origin|second-line)", 0.6), (8, _COURT, 1.1), (8, _VOTE, 1.2),
)  # fmt: skip


def _domains(text: Description) -> dict[int, float]:
    """How much of the description's vocabulary belongs to each area of Annex III."""
    found: dict[int, float] = {}
    for area, pattern, weight in _AREAS:
        hits = [m[0].lower() for m in _compiled(pattern).finditer(text.text)]
        found[area] = found.get(area, 0.0) + weight * (len(set(hits)) + 0.3 * min(len(hits), 10))
    return found


@dataclass(frozen=True, slots=True)
class _Match:
    rule: Rule
    words: tuple[str, ...]
    out: str
    still: str
    weight: float


def _matches(text: Description, rules: Sequence[Rule]) -> list[_Match]:
    found = []
    domains = _domains(text)
    for rule in rules:
        words = text.all(rule.cues)
        if words:
            weight = sum(min(text.count(cue), 4) for cue in rule.cues) / len(rule.cues) + 0.4 * min(text.count(rule.cues[0]), 6)
            still = text.find(rule.still)
            area = int(m[1]) if (m := re.match(r"annex-iii\((\d)\)", rule.pinpoint)) else 0
            found.append(_Match(rule, words, text.find(rule.out), still, weight + 2 * bool(still) + 0.7 * domains.get(area, 0.0)))
    return sorted(found, key=lambda m: -m.weight)


def _basis(pinpoint: str) -> str:
    return f"eu-ai-act:{pinpoint}"


def _reason(match: _Match) -> Reason:
    return Reason(match.rule.says, _basis(match.rule.pinpoint), " … ".join(dict.fromkeys(match.words)))


def classify(description: str) -> Classification:
    """The tier of the system that a text describes; `unknown` where the text describes none."""
    text = Description(" ".join(description.split())[:20_000])
    if len(text.text) < 25:
        return Classification("unknown", (), ())
    forbidden = [m for m in _matches(text, _PROHIBITED) if not m.out]
    if forbidden:
        return Classification("prohibited", (_basis(forbidden[0].rule.pinpoint),), (_reason(forbidden[0]),))
    listed = _matches(text, _RULES)
    considered = tuple(_basis(m.rule.pinpoint) for m in listed) or _nearest(text)
    held = [m for m in listed if not m.out or m.still]
    biometric = bool(held) and held[0].rule.pinpoint.startswith("annex-iii(1)")
    slight = 0 if biometric else text.count(_SLIGHT)
    strong = text.count(_STRONG)
    if held and (not slight or strong or held[0].still):
        best = held[0]
        return Classification("high-risk", (_basis(best.rule.pinpoint),), (_reason(best),), considered)
    product = _product(text)
    if product and not (listed and listed[0].weight > 4):
        return Classification("high-risk", ("eu-ai-act:art-6(1)", product.pinpoint), (product,), considered)
    if held:
        best = held[0]
        return Classification(
            "minimal",
            ("eu-ai-act:art-6(3)", _basis(best.rule.pinpoint)),
            (_reason(best), Reason("a narrow, preparatory or improving task", "eu-ai-act:art-6(3)", text.find(_SLIGHT))),
            considered,
        )
    return _rest(text, listed, considered)


def _product(text: Description) -> Reason | None:
    """A product of Annex I that needs a third party's assessment, by its purpose."""
    if text.find(_NO_PRODUCT):
        return None
    for pinpoint, says, *cues in _PRODUCT:
        words = text.all(cues)
        if words:
            return Reason(says, _basis(pinpoint), " … ".join(dict.fromkeys(words)))
    return None


def _rest(text: Description, listed: Sequence[_Match], considered: tuple[str, ...]) -> Classification:
    out = tuple(Reason(f"not {m.rule.says}", _basis(m.rule.pinpoint), m.out) for m in listed[:2])
    slight = text.find(_SLIGHT)
    talks, makes = text.find(_TALKS), text.find(_MAKES)
    if talks or makes:
        pinpoint = "eu-ai-act:art-50(1)" if talks else "eu-ai-act:art-50(2)"
        return Classification(
            "transparency", (pinpoint,), (Reason("people talk to it" if talks else "it generates content", pinpoint, talks or makes), *out), considered
        )
    if listed and slight:
        return Classification(
            "minimal",
            ("eu-ai-act:art-6(3)", _basis(listed[0].rule.pinpoint)),
            (*out, Reason("a narrow, preparatory or improving task", "eu-ai-act:art-6(3)", slight)),
            considered,
        )
    return Classification("minimal", considered[:1], out or _outside(considered), considered)


def _nearest(text: Description) -> tuple[str, ...]:
    """The area of Annex III whose vocabulary the description uses most, where it uses any."""
    area, score = max(_domains(text).items(), key=lambda item: (item[1], -item[0]))
    return (_basis(f"annex-iii({area})"),) if score >= 1 else ()


def _outside(considered: tuple[str, ...]) -> tuple[Reason, ...]:
    return tuple(Reason("touches this area of Annex III but none of its uses", pinpoint, "") for pinpoint in considered[:1])
