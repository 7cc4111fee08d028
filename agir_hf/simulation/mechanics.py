"""What the motion of the legs is like between planned contacts, apart from the person: the same for a whole cohort."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mechanics:
    """Constants of leg motion.

    Attributes:
        contact_delay_s: from the moment at which the heel reaches the floor until the contact that counts as the foot
            strike. A laboratory marks a strike when the load comes, with the ankle down to 14 % of its peak speed.
        over_foot_strides: from a foot's reaching the floor until the body is over it, in strides.
        blur_s: standard deviation of the smoothing of the foot's path: flesh and joints give, nothing stops at once.
        kick: how far the heel goes on rising after the toes have left, over that of the first cohort.
        toe_ahead: share of the swing's distance that the toes are ahead of the first cohort's in middle swing, under
            the hip sooner, which bends the knee further.
        straightest_knee_deg: no knee of a leg that carries is straighter.
        soft_reach_m: how gently a swinging leg comes to its full length; 0: not held at all.
        steepest_push_deg: no foot is steeper when its toes leave the floor.
    """

    contact_delay_s: float = 0.0
    over_foot_strides: float = 0.265
    blur_s: float = 0.0
    kick: float = 1.0
    toe_ahead: float = 0.0
    straightest_knee_deg: float = 6.0
    soft_reach_m: float = 0.0
    steepest_push_deg: float = 64.0

    @property
    def reach_s(self) -> float:
        """How far the smoothing reaches to either side."""
        return 2.5 * self.blur_s


FIRST = Mechanics()

# Fitted by eye on knee curves of unimpaired walking and on the state of annotated foot strikes (facts: ankle at 14 % of
# its peak speed, toes down by a quarter of their peak pitch); what is left is printed by the test of the leg's motion.
ANNOTATED = Mechanics(
    contact_delay_s=0.055,
    over_foot_strides=0.270,
    blur_s=0.014,
    kick=1.2,
    toe_ahead=0.025,
    straightest_knee_deg=4.0,
    soft_reach_m=0.003,
    steepest_push_deg=76.0,
)
