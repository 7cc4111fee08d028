"""Where the 22 joints sit on a body: one set of proportions for placing joints and for the canonical person.

Lengths as fractions of standing height H follow Drillis and Contini (1966), as tabulated by Winter, "Biomechanics and
Motor Control of Human Movement", except where a landmark had to become a joint centre: the hip centres lie 0.10 H apart
(Bell et al. 1990 put them at about 0.36 of the pelvis width from the midline), the shoulder centres 4 cm inside the
acromions, and the toe base (metatarsal heads) at 0.72 of the foot length from the heel, the ankle at 0.25.

Trunk places are fractions of the line from mid-hip to mid-shoulder (0 to 1). They say where the spine, neck and collar
joints of the 22-joint body lie on anybody's trunk.
"""

from __future__ import annotations

HEIGHT_M = 1.70

THIGH_LENGTH_M = 0.245 * HEIGHT_M
SHANK_LENGTH_M = 0.246 * HEIGHT_M
ANKLE_HEIGHT_M = 0.039 * HEIGHT_M
TOE_BASE_HEIGHT_M = 0.012 * HEIGHT_M
FOOT_REACH_M = 0.47 * 0.152 * HEIGHT_M
HALF_HIP_WIDTH_M = 0.050 * HEIGHT_M
TRUNK_LENGTH_M = 0.288 * HEIGHT_M
HALF_SHOULDER_WIDTH_M = 0.129 * HEIGHT_M - 0.04
UPPER_ARM_LENGTH_M = 0.186 * HEIGHT_M - 0.03
FOREARM_LENGTH_M = 0.146 * HEIGHT_M
LEG_LENGTH_M = THIGH_LENGTH_M + SHANK_LENGTH_M

# (fraction up the trunk, fraction of the trunk length ahead of its line).
TRUNK_PLACES: dict[str, tuple[float, float]] = {
    "pelvis": (0.17, 0.0),
    "spine1": (0.37, -0.03),
    "spine2": (0.62, -0.03),
    "spine3": (0.72, 0.0),
    "neck": (1.12, 0.0),
}
# Collar joints: fraction up the trunk, and of the way from the midline to the shoulder centre.
COLLAR_UP_FRACTION = 0.94
COLLAR_OUT_FRACTION = 0.45
# Head (skull base) from the neck joint, fractions of the trunk length: along the head's own direction, and ahead.
HEAD_UP_FRACTION = 0.14
HEAD_AHEAD_FRACTION = 0.06
