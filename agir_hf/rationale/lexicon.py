"""The words a checked text may use for measures, sides, units and comparisons.

Each table holds lower-case phrases separated by ``|``; hyphens are read as spaces and the longest phrase wins.
"""

from __future__ import annotations

from dataclasses import dataclass

# Phrases that name a measure.
MEASURE_PHRASES: dict[str, str] = {
    "walking_speed": "walking speed|gait speed|gait velocity|walking velocity|walking pace|gait pace|stride speed|"
    "speed of walking|speed of gait|speed|pace|velocity|forward speed",
    "cadence": "cadence|step rate|stepping rate|step frequency",
    "stride_length": "stride length|stride lengths|length of stride|length of strides|stride amplitude|strides of|"
    "long strides|length of the stride|strides are|strides measure|amplitude of stride|amplitude of strides",
    "step_length": "step length|step lengths|length of step|length of steps|length of the step|length of the steps",
    "step_length_asymmetry": "step length asymmetry|step asymmetry|asymmetry in step length|asymmetry of step length|"
    "asymmetry of steps|step length difference",
    "arm_swing_asymmetry": "arm swing asymmetry|asymmetry in arm swing|asymmetry of arm swing|asymmetry of the arms|"
    "arm asymmetry|arm swing difference",
    "step_width": "step width|stride width|base of support|base width|width of step|width of the base|walking base",
    "double_support": "double support|double support time|double limb support|double stance|double support phase|"
    "time in double support",
    "swing": "swing phase|swing percentage|swing percent|swing time|share of swing|swing fraction",
    "stride_time_cv": "stride time variability|stride time variation|stride time varies|variability|"
    "stride time coefficient of variation|stride variability|gait variability|variability of stride time|"
    "coefficient of variation|variability in stride time|stride time cv|stride to stride|stride timing"
    "|timing of strides",
    "stride_time": "stride time|stride duration|gait cycle time|cycle time|gait cycle duration",
    "arm_swing": "arm swing|arms swing|arm swings|swing of the arms|swing of the arm|arm movement|arm excursion|"
    "arm motion|arm swing range|arm swing amplitude|arm swing range of motion|swinging of the arms|armswing",
    "trunk_flexion": "trunk flexion|trunk lean|forward lean|trunk inclination|trunk tilt|trunk|posture|forward flexion|"
    "trunk posture",
    "foot_clearance": "foot clearance|toe clearance|ground clearance|foot lift|foot lifts|feet lift|foot rises|"
    "feet rise|clearance|lift of the foot|lift of the feet|foot lifting|height of foot lift|feet are lifted|"
    "foot is lifted",
    "foot_strike_angle": "foot strike angle|foot strike angles|foot strike|foot strikes|feet strike|strike angle|"
    "strike angles|heel strike|heel strikes|heel strike angle|foot contact angle|foot lands|feet land|heel contact",
    "turn_duration": "turn duration|turning duration|turning time|turn time|half turn|half turns|duration of the turn|"
    "time to turn|time for a half turn|time for turning|turning takes|turn takes",
    "freezing": "freezing episodes|freezing episode|freezing of gait|freezing|episodes of freezing|episode of freezing",
}
# Words that only hint at a measure: a number whose unit does not fit them is looked up by its unit instead.
HINT_PHRASES: dict[str, str] = {
    "walking_speed": "walks|walking|walk|walked|moves forward",
    "stride_length": "stride|strides",
    "step_length": "step|steps",
    "arm_swing": "arm|arms",
    "turn_duration": "turning|turns around|turning around|turn|turns",
    "foot_clearance": "lift|lifts",
}
# "Turning speed" is told by the time a turn takes, so what is said of it turns round.
INVERTED_PHRASES: dict[str, str] = {"turn_duration": "turning speed|turn speed|speed of turning"}

# Named in gait texts, never measured here: any claim about them is invented.
UNMEASURED_PHRASES = (
    "hip flexion|hip extension|hip|hips|knee flexion|knee extension|knee|knees|ankle|ankles|dorsiflexion|"
    "plantarflexion|trunk rotation|peak velocity|turn velocity|turning velocity|single support|stance phase|"
    "stance time|step time|heart rate|age|weight|height|tremor|rigidity|festination|festinating|dystonia|dyskinesia|"
    "ataxia|ataxic|spasticity|spastic|pain|falls|fall risk|balance|limp|limping|cane|walker|walking aid|crutches|"
    "grip strength|head|elbow|elbows|shoulder|shoulders|pelvic tilt|pelvic rotation|jerk|smoothness|medication|levodopa"
)


@dataclass(frozen=True)
class Predicate:
    """What a word says of a measure.

    Attributes:
        kind: ``low``, ``high``, ``usual``, ``out`` (not usual), ``even``, ``uneven``, ``slow`` or ``fast``.
        comparative: whether it may take an object ("than the right").
        groups: the measures it can be said of; None for all.
        needs_object: says nothing of its own ("less", "above").
    """

    kind: str
    comparative: bool = False
    groups: frozenset[str] | None = None
    needs_object: bool = False


_LENGTHS = frozenset({"stride_length", "step_length", "turn_duration", "stride_time", "double_support", "swing"})
_AMOUNTS = (
    _LENGTHS
    | {"arm_swing", "foot_clearance", "foot_strike_angle", "cadence", "walking_speed", "stride_time_cv"}
    | {"arm_swing_asymmetry", "step_length_asymmetry", "step_width", "trunk_flexion"}
)
_PACED = frozenset({"walking_speed", "turn_duration", "cadence"})
_SIDED = frozenset({"arm_swing", "step_length", "foot_clearance", "foot_strike_angle"})
_STRIKE = frozenset({"foot_strike_angle"})
_WIDTH = frozenset({"step_width"})
_TRUNK = frozenset({"trunk_flexion"})
_VARIATION = frozenset({"stride_time_cv"})

PREDICATES: dict[str, Predicate] = {}
for _words, _predicate in (
    ("low|small|limited|shallow|weak|minimal", Predicate("low", groups=_AMOUNTS)),
    ("reduced|decreased|diminished|restricted|lessened|depressed", Predicate("low", True, _AMOUNTS)),
    ("impaired|abnormal|affected|pathological|atypical|poor", Predicate("out")),
    ("short|shuffling|shortened", Predicate("low", groups=_LENGTHS)),
    ("high|large|elevated|excessive", Predicate("high", groups=_AMOUNTS)),
    ("increased|raised", Predicate("high", True, _AMOUNTS)),
    ("long|prolonged|lengthened", Predicate("high", groups=_LENGTHS)),
    ("slow|slowly|slowed", Predicate("slow", groups=_PACED)),
    ("fast|quick|quickly|brisk|briskly|rapid", Predicate("fast", groups=_PACED)),
    ("less|lower|smaller|fewer|weaker", Predicate("low", True, _AMOUNTS, True)),
    ("more|higher|larger|greater|bigger", Predicate("high", True, _AMOUNTS, True)),
    ("shorter", Predicate("low", True, _LENGTHS, True)),
    ("longer", Predicate("high", True, _LENGTHS, True)),
    ("slower|more slowly", Predicate("slow", True, _PACED, True)),
    ("faster|quicker|more quickly", Predicate("fast", True, _PACED, True)),
    ("flatter", Predicate("low", True, _STRIKE, True)),
    ("steeper", Predicate("high", True, _STRIKE, True)),
    ("narrower", Predicate("low", True, _WIDTH, True)),
    ("wider", Predicate("high", True, _WIDTH, True)),
    ("below|under|beneath|short of", Predicate("low", True, None, True)),
    ("above|exceeds|exceed|exceeding", Predicate("high", True, None, True)),
    ("outside", Predicate("out", True, None, True)),
    ("within|in keeping with|close to|near|matches|in line with|inside", Predicate("usual", True, None, True)),
    ("flat", Predicate("low", groups=_STRIKE)),
    ("steep", Predicate("high", groups=_STRIKE)),
    ("narrow", Predicate("low", groups=_WIDTH)),
    ("wide|broad", Predicate("high", groups=_WIDTH)),
    ("steady|regular|consistent", Predicate("usual", groups=_VARIATION)),
    ("variable|irregular|inconsistent", Predicate("out", groups=_VARIATION)),
    ("upright|erect", Predicate("usual", groups=_TRUNK)),
    ("stooped|bent|flexed|forward leaning", Predicate("high", groups=_TRUNK)),
    (
        "usual|normal|preserved|unremarkable|typical|intact|maintained|ordinary|normally|adequate|good",
        Predicate("usual"),
    ),
    (
        "about equal|about equally|equal|equally|symmetric|symmetrical|symmetrically|even|evenly|balanced|"
        "similar on both sides|the same on both sides|comparable on both sides",
        Predicate("even", groups=_SIDED),
    ),
    (
        "asymmetric|asymmetrical|asymmetrically|uneven|unequal|differ|differs|asymmetry|asymmetries|side difference|"
        "left right difference|left right differences|left right asymmetry|side to side difference|lopsided|one sided",
        Predicate("uneven", groups=_SIDED),
    ),
):
    PREDICATES.update(dict.fromkeys(_words.split("|"), _predicate))

# Words of one role each.
ROLES: dict[str, str] = {
    "than": "than|compared with|compared to|in comparison with|in comparison to|relative to|against|versus|vs|unlike|"
    "set against|measured against",
    # The usual range, told apart from the published mean.
    "range": "usual range|normal range|reference range|typical range|healthy range|expected range|normal limits|"
    "usual limits|normative range|than usual|than normal",
    "norm": "norm|norms|normative value|normative values|healthy older adults|healthy adults|older adults|"
    "healthy controls|controls|healthy people|healthy older people|healthy persons|reference value|reference values|"
    "published mean|normative|published norm|healthy norm|expected value|healthy elderly|healthy individuals|"
    "healthy subjects|healthy mean|healthy average|peers|age matched|normal value|normal values|usual value|normal is|"
    "normal of",
    "weak_norm": "mean|average|averages|averaging|expected|typically|on average|sd|standard deviation",
    "missing": "could not be measured|cannot be measured|was not measured|were not measured|not measured|"
    "could not be assessed|is not available|are not available|unavailable|not available|could not be determined|"
    "not assessable|is not measurable|are not measurable|could not be evaluated|not recorded",
    "no_norm": "no published norm|no matching published norm|no norm|no matching norm|no norms|no published norms|"
    "no reference value|no normative value",
    "difference": "difference|differences|gap|by|discrepancy",
    "not": "not|no|never|without|neither|nor|hardly",
    "left": "left|left hand|left sided",
    "right": "right|right hand|right sided",
    "both": "both|both sides|bilateral|bilaterally|each side|the two sides|two sides|either side",
    "other": "the other|the opposite|opposite side|other side",
    "count_noun": "aspect|aspects|criterion|criteria|domain|domains|component|components",
    "none": "none",
    "all": "all",
    "some": "some|several|multiple|repeated|frequent",
    "boundary": "while|whereas|but|although|though|however",
    "pronoun": "it|this|they|these|which|here",
    "rest": "the others|others|the rest|remaining|the remainder",
    # Said of what a number is counted over, or naming no measure.
    "skip": "of the stride|of stride|of the gait cycle|of gait cycle|of the cycle|of each stride|straight walking|"
    "in swing|during swing|per stride|gait item|in this recording|step by step|aspects that could be measured|"
    "half turn seen|walking freely|straight line walking",
    "strides": "steady strides|straight strides|full strides|complete strides|recorded strides|measured strides",
    "could": "could be measured|were measured|was measured",
}

NUMBER_WORDS: dict[str, int] = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}

# unit phrase -> (dimension, factor to the dimension's base unit)
UNITS: dict[str, tuple[str, float]] = {}
for _dimension, _factor, _phrases in (
    ("speed", 1.0, "m / s|meters per second|metres per second|meter per second|metre per second|m per s|mps"),
    ("speed", 0.01, "cm / s|centimetres per second|centimeters per second"),
    ("speed", 1 / 3.6, "km / h|kmh|kilometres per hour|kilometers per hour"),
    ("cadence", 1.0, "steps / min|steps / minute|steps per minute|steps a minute|spm|steps per min"),
    ("length", 1.0, "m|metre|metres|meter|meters"),
    ("length", 0.01, "cm|centimetre|centimetres|centimeter|centimeters"),
    ("length", 0.001, "mm|millimetre|millimetres|millimeter|millimeters"),
    ("time", 1.0, "s|sec|secs|second|seconds"),
    ("time", 0.001, "ms|millisecond|milliseconds"),
    ("time", 60.0, "min|minute|minutes"),
    ("rate", 1.0, "degrees per second|deg / s|degrees / s|° / s"),
    ("angle", 1.0, "degree|degrees|deg|degs|°"),
    ("percent", 1.0, "percent|per cent|%|percentage points|percentage point"),
    ("episodes", 1.0, "episode|episodes"),
    ("other", 1.0, "hz|kg|g|years|year|bpm|mmhg|n|nm|beats per minute|feet per second|inches|inch|points|times|km"),
):
    UNITS.update(dict.fromkeys(_phrases.split("|"), (_dimension, _factor)))

# The dimension each measure is printed in, and the factor from its printed unit to the dimension's base unit.
DIMENSIONS: dict[str, tuple[str, float]] = {
    "walking_speed": ("speed", 1.0),
    "cadence": ("cadence", 1.0),
    "stride_length": ("length", 1.0),
    "step_length": ("length", 1.0),
    "step_length_asymmetry": ("percent", 1.0),
    "arm_swing_asymmetry": ("percent", 1.0),
    "step_width": ("length", 1.0),
    "double_support": ("percent", 1.0),
    "swing": ("percent", 1.0),
    "stride_time_cv": ("percent", 1.0),
    "stride_time": ("time", 1.0),
    "arm_swing": ("angle", 1.0),
    "trunk_flexion": ("angle", 1.0),
    "foot_clearance": ("length", 0.01),
    "foot_strike_angle": ("angle", 1.0),
    "turn_duration": ("time", 1.0),
    "freezing": ("episodes", 1.0),
}
# Dimensions that name their measure by themselves.
INFERRED = {"speed": "walking_speed", "cadence": "cadence", "episodes": "freezing"}
# What a percentage said of a sided measure means where sides are told to differ.
ASYMMETRIES = {"arm_swing": "arm_swing_asymmetry", "step_length": "step_length_asymmetry"}
