"""Draws the figures of the documentation: ``python docs/drawings/draw.py`` writes every ``.svg`` of this folder anew.

Standard library only, and the same bytes every time. The figures are shown as pictures, on light and on dark pages, so
colours are middle tones that stand out from both: a picture cannot take the text colour of the page around it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

Point = tuple[float, float]

LEFT, RIGHT, BODY, MARK, INK, FAINT = "#2f87c9", "#d0702c", "#8a929c", "#2c9c68", "#7b838d", "#8a929c55"
# Side view of a body 1.7 m tall, metres: what is told apart here is where joints are, not whose they are.
THIGH_M, SHANK_M, ANKLE_HEIGHT_M, UPPER_ARM_M, FOREARM_M = 0.41, 0.40, 0.085, 0.27, 0.25
FOOT_M = (0.125, -0.055)
TRUNK_M = {
    "pelvis": 0.0,
    "spine1": 0.11,
    "spine2": 0.24,
    "spine3": 0.30,
    "collar": 0.42,
    "shoulder": 0.43,
    "neck": 0.50,
    "head": 0.60,
}
SPINE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")


class Drawing:
    """Shapes in pixels, Y down, written as one SVG file."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.shapes: list[str] = []

    def line(self, points: Iterable[Point], colour: str = INK, width: float = 2.0, dash: str = "") -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.shapes.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
            f' stroke-linecap="round" stroke-linejoin="round"{dashes}/>'
        )

    def dot(self, at: Point, colour: str = INK, radius: float = 4.0) -> None:
        self.shapes.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}" fill="{colour}"/>')

    def bar(self, corner: Point, size: Point, colour: str, round_by: float = 3.0) -> None:
        self.shapes.append(
            f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"'
            f' rx="{round_by:g}" fill="{colour}"/>'
        )

    def frame(self, corner: Point, size: Point, colour: str = INK) -> None:
        self.shapes.append(
            f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"'
            f' rx="6" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )

    def foot(self, ankle: Point, colour: str, turned_deg: float = 0.0) -> None:
        """A footprint seen from above; the ankle is the dot in it, the toes point to the right."""
        x, y = ankle
        self.shapes.append(
            f'<ellipse cx="{x + 14:.1f}" cy="{y:.1f}" rx="29" ry="11" fill="{colour}55" stroke="{colour}"'
            f' stroke-width="1.6" transform="rotate({turned_deg:g} {x:.1f} {y:.1f})"/>'
        )
        self.dot(ankle, colour)

    def text(self, at: Point, text: str, colour: str = INK, anchor: str = "middle", size: float = 15.0) -> None:
        self.shapes.append(
            f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{colour}" font-size="{size:g}" text-anchor="{anchor}">'
            f"{text.replace('&', '&amp;').replace('<', '&lt;')}</text>"
        )

    def arrow(self, start: Point, end: Point, colour: str = MARK, width: float = 2.0, both: bool = False) -> None:
        self.line([start, end], colour, width)
        for tip, tail in ((end, start), (start, end))[: 2 if both else 1]:
            angle = math.atan2(tip[1] - tail[1], tip[0] - tail[0])
            wings = [(tip[0] - 9 * math.cos(angle + w), tip[1] - 9 * math.sin(angle + w)) for w in (-0.45, 0.45)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (tip, *wings))
            self.shapes.append(f'<polygon points="{path}" fill="{colour}"/>')

    def span(self, start: float, end: float, y: float, text: str, colour: str = MARK, below: bool = False) -> None:
        """A horizontal length with its name."""
        self.line([(start, y - 7), (start, y + 7)], colour, 1.6)
        self.line([(end, y - 7), (end, y + 7)], colour, 1.6)
        self.arrow((start + 1, y), (end - 1, y), colour, both=True)
        self.text(((start + end) / 2, y + 20 if below else y - 9), text, colour)

    def arc(self, centre: Point, radius: float, from_deg: float, to_deg: float, colour: str = MARK) -> None:
        """Part of a circle; degrees count from the right, counter-clockwise as seen."""
        steps = max(2, round(abs(to_deg - from_deg) / 3))
        angles = [math.radians(from_deg + (to_deg - from_deg) * i / steps) for i in range(steps + 1)]
        self.line(
            [(centre[0] + radius * math.cos(a), centre[1] - radius * math.sin(a)) for a in angles], colour, width=2.4
        )

    def svg(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}"'
            f' height="{self.height}" font-family="Helvetica, Arial, sans-serif" font-weight="600" role="img">'
        )
        return "\n".join([head, f"<title>{self.title}</title>", *self.shapes, "</svg>"]) + "\n"


def knee_of(hip: Point, ankle: Point) -> Point:
    """Where the knee is between them: ahead of the line, with the thigh and shank as long as they are."""
    dx, dy = ankle[0] - hip[0], ankle[1] - hip[1]
    far = min(math.hypot(dx, dy), THIGH_M + SHANK_M - 1e-6)
    along = (THIGH_M**2 - SHANK_M**2 + far**2) / (2 * far)
    out = math.sqrt(max(THIGH_M**2 - along**2, 0.0))
    ux, uy = dx / math.hypot(dx, dy), dy / math.hypot(dx, dy)
    return (hip[0] + along * ux - out * uy, hip[1] + along * uy + out * ux)


def turned(vector: Point, degrees: float) -> Point:
    angle = math.radians(degrees)
    return (
        vector[0] * math.cos(angle) - vector[1] * math.sin(angle),
        vector[0] * math.sin(angle) + vector[1] * math.cos(angle),
    )


def body(
    pelvis: Point,
    ankles: dict[str, Point],
    foot_pitch_deg: dict[str, float],
    arm_deg: dict[str, float],
    lean_deg: float = 2.0,
    elbow_deg: float = 25.0,
) -> dict[str, Point]:
    """The 22 joints from the side, metres, walking to the right, Y up; positive angles of arms and trunk: forwards."""
    up = turned((0.0, 1.0), -lean_deg)
    joints = {
        name: (pelvis[0] + length * up[0], pelvis[1] + length * up[1])
        for name, length in TRUNK_M.items()
        if name not in ("collar", "shoulder")
    }
    for side in ("left", "right"):
        for name in ("collar", "shoulder"):
            joints[f"{side}_{name}"] = (pelvis[0] + TRUNK_M[name] * up[0], pelvis[1] + TRUNK_M[name] * up[1])
        shoulder = joints[f"{side}_shoulder"]
        elbow = turned((0.0, -UPPER_ARM_M), arm_deg[side] - elbow_deg / 3)
        wrist = turned((0.0, -FOREARM_M), arm_deg[side] + elbow_deg * 2 / 3)
        joints[f"{side}_elbow"] = (shoulder[0] + elbow[0], shoulder[1] + elbow[1])
        joints[f"{side}_wrist"] = (shoulder[0] + elbow[0] + wrist[0], shoulder[1] + elbow[1] + wrist[1])
        hip = (pelvis[0], pelvis[1] - 0.07)
        ankle = ankles[side]
        foot = turned(FOOT_M, foot_pitch_deg[side])
        joints[f"{side}_hip"] = hip
        joints[f"{side}_knee"] = knee_of(hip, ankle)
        joints[f"{side}_ankle"] = ankle
        joints[f"{side}_foot"] = (ankle[0] + foot[0], ankle[1] + foot[1])
    return joints


def draw_body(drawing: Drawing, joints: dict[str, Point], place: Callable[[Point], Point], plain: bool = False) -> None:
    """Right side, trunk, left side, so that what is nearer lies on top."""

    def limb(names: Iterable[str], colour: str) -> None:
        points = [place(joints[name]) for name in names]
        drawing.line(points, colour, 3.4)
        for point in points:
            drawing.dot(point, colour, 4.2)

    def side(name: str, colour: str) -> None:
        limb([f"{name}_{part}" for part in ("hip", "knee", "ankle", "foot")], colour)
        limb([f"{name}_{part}" for part in ("collar", "shoulder", "elbow", "wrist")], colour)

    side("right", BODY if plain else RIGHT)
    limb(SPINE, BODY)
    drawing.dot(place(joints["head"]), BODY, 11.0)
    side("left", BODY if plain else LEFT)


def view(scale: float, left: float, floor: float) -> Callable[[Point], Point]:
    return lambda point: (left + scale * point[0], floor - scale * point[1])


def floor_line(drawing: Drawing, y: float, start: float, end: float) -> None:
    drawing.line([(start, y), (end, y)], FAINT, 2.0)


def walking_figure() -> Drawing:
    """What every drawing is of: 22 joints, sides and axes."""
    d = Drawing(640, 430, "The 22 joints from the front, and the axes")
    scale, middle, floor = 210.0, 250.0, 400.0
    lateral = {"hip": 0.075, "knee": 0.085, "ankle": 0.09, "foot": 0.115, "collar": 0.06, "shoulder": 0.18}
    lateral |= {"elbow": 0.24, "wrist": 0.26}
    heights = {"hip": 0.83, "knee": 0.46, "ankle": 0.085, "foot": 0.03, "collar": 1.33, "shoulder": 1.34}
    heights |= {"elbow": 1.07, "wrist": 0.83}
    centre = {"pelvis": 0.90, "spine1": 1.01, "spine2": 1.14, "spine3": 1.20, "neck": 1.40, "head": 1.52}

    def at(name: str) -> Point:
        if name in centre:
            return (middle, floor - scale * centre[name])
        side, part = name.split("_")
        # Seen from the front: the person's left is on the reader's right.
        sign = 1.0 if side == "left" else -1.0
        return (middle + sign * scale * 1.25 * lateral[part], floor - scale * heights[part])

    floor_line(d, floor, 110, 340)
    for side, colour in (("right", RIGHT), ("left", LEFT)):
        for parts in (("hip", "knee", "ankle", "foot"), ("collar", "shoulder", "elbow", "wrist")):
            first = "pelvis" if parts[0] == "hip" else "spine3"
            names = [first, *(f"{side}_{part}" for part in parts)]
            d.line([at(name) for name in names], colour, 3.4)
            for name in names[1:]:
                d.dot(at(name), colour, 4.6)
    d.line([at(name) for name in SPINE], BODY, 3.4)
    for name in SPINE:
        d.dot(at(name), BODY, 5.0 if name != "head" else 11.0)
    for name, y in (("head", 6), ("neck", -3), ("spine3", -1), ("spine2", 9), ("spine1", 5), ("pelvis", 0)):
        x = middle - (17 if name == "head" else 12)
        # Labels of the spine stand left of the body, outside the right arm, with a thin line to their joint.
        target = (middle - 100.0, at(name)[1] + y)
        d.line([(target[0] + 4, target[1] - 4), (x + 4, at(name)[1])], FAINT, 1.2)
        d.text(target, name, anchor="end", size=13)
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot", "collar"):
        point = at(f"left_{part}")
        dy = {"collar": -24, "shoulder": 2, "foot": 12, "ankle": -6, "wrist": -6, "hip": 14}.get(part, 4)
        x = middle + 100.0
        d.line([(x - 4, point[1] + dy - 4), (point[0] + 6, point[1])], FAINT, 1.2)
        label = f"left_{part}" + (" (base of the toes)" if part == "foot" else "")
        d.text((x, point[1] + dy), label, LEFT, "start", 13)
    d.text((middle - 100.0, at("right_knee")[1] + 4), "right side", RIGHT, "end", 13)
    corner = (520.0, 150.0)
    d.arrow(corner, (520, 70), MARK)
    d.text((520, 60), "Y up (m)", MARK)
    d.arrow(corner, (590, 150), MARK)
    d.text((596, 142), "X", MARK, "start")
    d.arrow(corner, (478, 186), MARK)
    d.text((466, 202), "Z", MARK)
    d.text((550, 222), "right-handed,", INK, size=13)
    d.text((550, 240), "floor at Y = 0", INK, size=13)
    return d


def steps() -> Drawing:
    """Step length, stride length and step width."""
    d = Drawing(720, 600, "Step length, stride length and step width")
    scale = 195.0
    stand = view(scale, 60.0, 330.0)
    ankle_x = {"left": 1.05, "right": 1.75}
    joints = body(
        (1.42, 0.86),
        {"left": (ankle_x["left"] + 0.03, 0.13), "right": (ankle_x["right"], ANKLE_HEIGHT_M + 0.01)},
        {"left": -22.0, "right": 20.0},
        {"left": 24.0, "right": -22.0},
    )
    floor_line(d, 330, 40, 690)
    draw_body(d, joints, stand)
    d.text((120, 40), "left", LEFT, "start")
    d.text((165, 40), "right", RIGHT, "start")
    xs = {name: 60.0 + scale * x for name, x in (("R0", 0.35), ("L1", 1.05), ("R1", 1.75), ("L2", 2.45))}
    top = {"L": 450.0, "R": 510.0}
    d.line([(50, 480), (690, 480)], FAINT, 2.0, "6 6")
    d.arrow((660, 480), (692, 480), INK)
    for name, x in xs.items():
        d.foot((x, top[name[0]]), LEFT if name[0] == "L" else RIGHT)
        d.line([(x, top[name[0]]), (x, 345)], FAINT, 1.2)
    d.span(xs["L1"], xs["R1"], 390, "step length, right", RIGHT)
    d.span(xs["R1"], xs["L2"], 390, "step length, left", LEFT)
    d.span(xs["L1"], xs["L2"], 566, "stride length", MARK, below=True)
    for x in (xs["L1"], xs["L2"]):
        d.line([(x, 462), (x, 560)], FAINT, 1.2)
    d.line([(xs["R0"] - 5, top["L"]), (xs["L1"], top["L"])], FAINT, 1.2)
    d.arrow((xs["R0"] + 62, 510), (xs["R0"] + 62, 451), MARK, both=True)
    d.line([(xs["R0"] + 46, top["R"]), (xs["R0"] + 80, top["R"])], FAINT, 1.2)
    d.text((xs["R0"] - 2, 472), "step width", MARK, "end", 14)
    d.text((652, 530), "direction of", INK, size=13)
    d.text((652, 546), "progression", INK, size=13)
    return d


def gait_cycle() -> Drawing:
    """Stride time, step time, double support and swing on a time line."""
    d = Drawing(720, 300, "Foot contacts over time: stride time, double support and swing")
    start, one = 110.0, 400.0
    rows = {"left": 90.0, "right": 150.0}
    strikes = {"left": (0.0, 1.0), "right": (-0.5, 0.5)}
    stance = 0.64

    def x(time: float) -> float:
        return start + one * time

    for side, y in rows.items():
        colour = LEFT if side == "left" else RIGHT
        d.text((start - 14, y + 16), side, colour, "end")
        for strike in strikes[side]:
            low, high = max(strike, 0.0), min(strike + stance, 1.42)
            d.bar((x(low), y), (x(high) - x(low), 24), colour)
            if strike >= 0.0:
                d.line([(x(strike), y - 6), (x(strike), y + 30)], colour, 2.4)
    doubles = ((0.0, 0.14), (0.5, 0.64), (1.0, 1.14))
    for low, high in doubles:
        d.bar((x(low), 78), (x(high) - x(low), 110), MARK + "44", 0.0)
    d.text((x(0.07), 206), "initial", MARK, size=13)
    d.text((x(0.57), 206), "terminal", MARK, size=13)
    d.text((x(0.32), 226), "double support: both feet on the floor", MARK)
    d.span(x(0.64), x(1.0), 102, "", LEFT)
    d.text((x(0.82), 92), "swing", LEFT)
    d.span(x(0.0), x(1.0), 44, "stride time", INK)
    d.line([(x(0.0), 50), (x(0.0), 88)], FAINT, 1.2)
    d.line([(x(1.0), 50), (x(1.0), 88)], FAINT, 1.2)
    d.span(x(0.0), x(0.5), 256, "", INK)
    d.span(x(0.5), x(1.0), 256, "", INK)
    d.text((x(0.25), 280), "step time, right", RIGHT, size=14)
    d.text((x(0.75), 280), "step time, left", LEFT, size=14)
    d.arrow((x(1.3), 256), (x(1.45), 256), INK)
    d.text((x(1.375), 280), "time", INK, size=13)
    d.text((x(1.0) + 8, 66), "foot strike", LEFT, "start", 13)
    d.text((x(0.64) - 4, 66), "foot off", LEFT, "middle", 13)
    d.line([(x(0.64), 72), (x(0.64), 90)], LEFT, 1.6)
    return d


def walking_speed() -> Drawing:
    """The path of the pelvis from above and the polygon through its places at strikes of the same foot."""
    d = Drawing(720, 230, "Walking speed: the polygon through the places of the pelvis at strikes of the left foot")
    strikes = [60.0, 240.0, 420.0, 600.0]
    path = [(40 + i * 3.0, 110 - 16 * math.sin((40 + i * 3.0 - 60) / 180 * 2 * math.pi)) for i in range(207)]
    d.line(path, BODY, 2.4)
    d.line([(x, 110) for x in strikes], MARK, 3.0)
    for x in strikes:
        d.foot((x, 62), LEFT)
        d.line([(x, 66), (x, 110)], FAINT, 1.2)
        d.dot((x, 110), MARK, 5.5)
    for x in (150, 330, 510):
        d.foot((x, 158), RIGHT)
    d.text((668, 92), "pelvis", BODY, "start", 13)
    d.span(strikes[0], strikes[-1], 196, "length of the polygon over the time it takes", MARK, below=True)
    d.text((60, 30), "seen from above", INK, "start", 13)
    return d


def stride_variability() -> Drawing:
    """Stride times one after another, their mean and their standard deviation."""
    d = Drawing(640, 270, "Variability: the standard deviation of the stride times over their mean")
    times = (1.02, 1.06, 0.98, 1.09, 1.01, 0.96, 1.04, 1.00, 1.07, 0.97, 1.03, 0.99)
    mean = sum(times) / len(times)
    spread = math.sqrt(sum((time - mean) ** 2 for time in times) / (len(times) - 1))

    def y(time: float) -> float:
        return 220 - (time - 0.85) * 640

    d.bar((70, y(mean + spread)), (430, y(mean - spread) - y(mean + spread)), MARK + "40", 0.0)
    d.line([(70, y(mean)), (500, y(mean))], MARK, 2.4)
    for index, time in enumerate(times):
        x = 90 + index * 35
        d.line([(x, 220), (x, y(time))], LEFT if index % 2 == 0 else RIGHT, 7.0)
    d.line([(60, 220), (510, 220)], INK, 1.6)
    d.arrow((60, 220), (60, 40), INK)
    d.text((68, 34), "stride time", INK, "start", 13)
    d.text((510, y(mean) + 5), "mean", MARK, "start")
    d.text((510, y(mean + spread) - 6), "one standard", MARK, "start", 13)
    d.text((510, y(mean + spread) + 10), "deviation", MARK, "start", 13)
    d.text((285, 248), "steady strides, one after another (10 at least)", INK, size=13)
    return d


def arm_swing() -> Drawing:
    """The range of the direction shoulder to wrist, relative to the trunk, and the two sides."""
    d = Drawing(640, 430, "Arm swing: range of the direction from shoulder to wrist, relative to the trunk")
    place = view(215.0, 120.0, 400.0)
    joints = body(
        (0.75, 0.87),
        {"left": (0.48, 0.14), "right": (0.99, ANKLE_HEIGHT_M + 0.01)},
        {"left": -24.0, "right": 18.0},
        {"left": 28.0, "right": -20.0},
        elbow_deg=20.0,
    )
    floor_line(d, 400, 60, 580)
    draw_body(d, joints, place)
    shoulder = place(joints["left_shoulder"])
    reach = 215.0 * 0.5
    front, back = 33.0, -22.0
    for angle in (front, back):
        tip = turned((0.0, reach + 28), -angle)
        d.line([shoulder, (shoulder[0] - tip[0] * -1, shoulder[1] + tip[1])], MARK, 2.0, "5 5")
    d.arc(shoulder, reach + 22, -90 + back, -90 + front)
    lower = (shoulder[0] + 12, shoulder[1] + reach + 22)
    d.line([lower, (430, 312)], FAINT, 1.2)
    d.text((436, 300), "arm swing, left:", LEFT, "start")
    d.text((436, 320), "range of this angle", MARK, "start", 14)
    d.text((436, 338), "in one stride", MARK, "start", 14)
    d.line([shoulder, place(joints["pelvis"])], MARK, 1.6, "2 5")
    d.text((436, 150), "asymmetry", INK, "start")
    d.text((436, 172), "left", LEFT, "start", 13)
    d.bar((476, 161), (110, 13), LEFT)
    d.text((436, 194), "right", RIGHT, "start", 13)
    d.bar((476, 183), (66, 13), RIGHT)
    d.text((436, 218), "difference over the larger", INK, "start", 13)
    return d


def trunk_flexion() -> Drawing:
    """The angle of pelvis to neck from the vertical, forwards positive."""
    d = Drawing(520, 430, "Trunk flexion: the angle of the line from pelvis to neck from the vertical")
    place = view(215.0, 90.0, 400.0)
    lean = 22.0
    joints = body(
        (0.62, 0.85),
        {"left": (0.42, 0.11), "right": (0.83, ANKLE_HEIGHT_M)},
        {"left": -14.0, "right": 8.0},
        {"left": -2.0, "right": -14.0},
        lean_deg=lean,
    )
    floor_line(d, 400, 50, 480)
    draw_body(d, joints, place, plain=True)
    pelvis, neck = place(joints["pelvis"]), place(joints["neck"])
    d.line([pelvis, (pelvis[0], pelvis[1] - 165)], MARK, 2.0, "5 5")
    d.line([pelvis, neck], MARK, 2.6)
    d.arc(pelvis, 92, 90, 90 - lean)
    d.text((pelvis[0] - 10, pelvis[1] - 150), "vertical", MARK, "end", 14)
    d.text((neck[0] + 70, neck[1] - 4), "trunk flexion,", MARK, "start")
    d.text((neck[0] + 70, neck[1] + 16), "forwards positive", MARK, "start", 14)
    d.text((neck[0] + 14, neck[1] + 14), "neck", INK, "start", 13)
    d.text((pelvis[0] - 12, pelvis[1] + 4), "pelvis", INK, "end", 13)
    d.arrow((400, 380), (460, 380), INK)
    d.text((430, 370), "walks", INK, size=13)
    return d


def foot_drawing(
    drawing: Drawing, ankle: Point, pitch_deg: float, colour: str, scale: float, shank_deg: float
) -> Point:
    """A foot from the side with a sole around it; returns where the base of the toes is."""
    toe = turned(FOOT_M, pitch_deg)
    toe_at = (ankle[0] + scale * toe[0], ankle[1] - scale * toe[1])
    outline = [(-0.075, -0.02), (-0.085, -0.085), (0.125, -0.085), (0.205, -0.08), (0.185, -0.055), (0.125, -0.03)]
    outline += [(0.03, 0.03), (-0.03, 0.035), (-0.075, -0.02)]
    points = [turned(point, pitch_deg) for point in outline]
    drawing.line([(ankle[0] + scale * x, ankle[1] - scale * y) for x, y in points], FAINT, 2.0)
    shank = turned((0.0, 0.34), -shank_deg)
    drawing.line([(ankle[0] + scale * shank[0], ankle[1] - scale * shank[1]), ankle, toe_at], colour, 3.4)
    drawing.dot(ankle, colour, 5.0)
    drawing.dot(toe_at, colour, 5.0)
    return toe_at


def foot_clearance() -> Drawing:
    """The toe base through a swing: how high it rises above its own height while it stands."""
    d = Drawing(720, 320, "Foot clearance: highest toe base in swing above its height in the stances around it")
    scale, floor = 320.0, 250.0
    floor_line(d, floor, 30, 690)
    first = foot_drawing(d, (70, floor - scale * 0.085), 0.0, BODY, scale, 12.0)
    last = foot_drawing(d, (560, floor - scale * 0.085), 0.0, BODY, scale, -6.0)

    def at(share: float) -> Point:
        return (first[0] + (last[0] - first[0]) * share, first[1] - 92 * math.sin(math.pi * share**0.8))

    curve = [at(i / 60) for i in range(61)]
    peak = min(curve, key=lambda point: point[1])
    d.line(curve, LEFT, 2.4, "6 4")
    ankle = (peak[0] - scale * 0.118, peak[1] - scale * 0.070)
    foot_drawing(d, ankle, -6.0, LEFT, scale, 28.0)
    d.line([first, (last[0], first[1])], FAINT, 1.6, "4 5")
    d.arrow((peak[0], first[1]), (peak[0], peak[1] + 6), MARK, both=True)
    d.text((peak[0] + 14, (first[1] + peak[1]) / 2 + 6), "foot clearance", MARK, "start")
    d.text((first[0] + 12, first[1] + 42), "toe base, standing", INK, "middle", 13)
    d.text((last[0] + 12, first[1] + 42), "toe base, standing", INK, "middle", 13)
    d.text((peak[0] + 54, peak[1] - 6), "path of the toe base", LEFT, "start", 13)
    return d


def foot_strike_angle() -> Drawing:
    """The pitch of ankle to toe base at strike, against the same foot flat on the floor."""
    d = Drawing(700, 300, "Foot-strike angle: pitch of the foot at strike less that of the same foot flat on the floor")
    scale, floor = 420.0, 240.0
    floor_line(d, floor, 30, 670)
    pitch = 22.0
    heel = turned((-0.085, -0.085), pitch)
    ankle = (150.0, floor + scale * heel[1])
    toe = foot_drawing(d, ankle, pitch, LEFT, scale, -14.0)
    flat = turned(FOOT_M, 0.0)
    flat_deg = math.degrees(math.atan2(flat[1], flat[0]))
    ends = [
        (ankle[0] + 170 * math.cos(math.radians(a)), ankle[1] - 170 * math.sin(math.radians(a)))
        for a in (flat_deg, flat_deg + pitch)
    ]
    d.line([ankle, ends[0]], MARK, 2.0, "5 5")
    d.line([ankle, ends[1]], MARK, 2.0, "5 5")
    d.arc(ankle, 128, flat_deg, flat_deg + pitch)
    d.text((ends[1][0] + 8, ends[1][1] + 18), "foot-strike angle,", MARK, "start")
    d.text((ends[1][0] + 8, ends[1][1] + 36), "toes up positive", MARK, "start", 14)
    d.text((ankle[0] - 14, ankle[1] - 6), "ankle", INK, "end", 13)
    d.text((toe[0] + 6, toe[1] - 14), "toe base", INK, "start", 13)
    d.text((150, floor + 28), "at foot strike", INK)
    other = (520.0, floor - scale * 0.085)
    foot_drawing(d, other, 0.0, BODY, scale, 4.0)
    d.line(
        [other, (other[0] + 150 * math.cos(math.radians(flat_deg)), other[1] - 150 * math.sin(math.radians(flat_deg)))],
        MARK,
        2.0,
        "5 5",
    )
    d.text((545, floor + 28), "flat, in mid-stance", INK)
    return d


def turn() -> Drawing:
    """A turn from above with the facing direction, and its angle over time."""
    d = Drawing(720, 330, "Turn: how long the facing direction takes, scaled to 180 degrees")
    radius, centre_x, low, high = 56.0, 230.0, 232.0, 120.0
    path = [(40.0 + i * 10, low) for i in range(20)]
    path += [
        (centre_x + radius * math.sin(math.pi * i / 30), (low + high) / 2 + radius * math.cos(math.pi * i / 30))
        for i in range(31)
    ]
    path += [(220.0 - i * 10, high) for i in range(19)]
    d.line(path, BODY, 2.4)
    d.line(path[18:52], MARK, 5.0)
    for x, y, degrees in ((70, low, 0), (150, low, 0), (150, high, 180), (70, high, 180)):
        d.dot((x, y), INK, 4.5)
        d.arrow((x, y), (x + 34 * math.cos(math.radians(degrees)), y - 34 * math.sin(math.radians(degrees))), INK)
    for share in (0.2, 0.5, 0.8):
        angle = math.pi * share
        at = (centre_x + radius * math.sin(angle), (low + high) / 2 + radius * math.cos(angle))
        d.arrow(at, (at[0] + 34 * math.cos(angle), at[1] - 34 * math.sin(angle)), INK)
        d.dot(at, INK, 4.5)
    d.text((150, 270), "seen from above;", INK, size=13)
    d.text((150, 288), "arrows: facing direction", INK, size=13)
    left, base, top = 440.0, 250.0, 80.0
    d.arrow((left, base), (left, 50), INK)
    d.arrow((left, base), (695, base), INK)
    d.text((left + 8, 52), "angle", INK, "start", 13)
    d.text((690, base + 20), "time", INK, "end", 13)
    curve = []
    for i in range(61):
        share = i / 60
        rise = 1 / (1 + math.exp(-(share - 0.5) * 14))
        curve.append((left + 10 + 225 * share, base - 8 - (base - top - 16) * rise))
    d.line(curve, BODY, 2.4)
    d.line(curve[14:47], MARK, 4.0)
    begin, end = curve[14], curve[46]
    for point in (begin, end):
        d.line([point, (point[0], base + 34)], FAINT, 1.4)
    d.span(begin[0], end[0], base + 34, "duration", MARK, below=True)
    for point in (begin, end):
        d.line([(left - 4, point[1]), point], FAINT, 1.4)
    d.arrow((left - 16, begin[1]), (left - 16, end[1]), MARK, both=True)
    d.text((left - 26, (begin[1] + end[1]) / 2), "turned by", MARK, "end", 14)
    d.text((left - 26, (begin[1] + end[1]) / 2 + 18), "135° or more", MARK, "end", 13)
    d.text((575, 30), "duration × 180 / angle", MARK)
    return d


def freezing() -> Drawing:
    """Forward speed over time with a stop in it during which the feet go on."""
    d = Drawing(700, 280, "Freezing episode: forward progress stops while stepping is attempted")
    left, base = 70.0, 150.0
    d.arrow((left, base), (left, 36), INK)
    d.arrow((left, base), (670, base), INK)
    d.text((left + 10, 42), "forward speed", INK, "start", 13)
    d.text((668, base - 10), "time", INK, "end", 13)

    def speed(t: float) -> float:
        stop = 1 / (1 + math.exp((t - 0.42) * 60)) + 1 / (1 + math.exp(-(t - 0.66) * 60))
        return (72 + 7 * math.sin(t * 60)) * min(stop, 1.0) + 2

    d.line([(left + 560 * i / 140, base - speed(i / 140)) for i in range(141)], LEFT, 2.6)
    start, end = left + 560 * 0.435, left + 560 * 0.645
    d.bar((start, 54), (end - start, 176), MARK + "33", 0.0)
    d.text(((start + end) / 2, 46), "episode: 0.7 s or more", MARK)
    d.text((left, 206), "steps", INK, "end", 13)
    times = [0.03, 0.11, 0.19, 0.27, 0.35, *(0.45 + 0.022 * i for i in range(9)), 0.70, 0.78, 0.86, 0.94]
    for index, time in enumerate(times):
        x = left + 560 * time
        d.line([(x, 190), (x, 214)], LEFT if index % 2 == 0 else RIGHT, 3.4)
    d.text(((start + end) / 2, 252), "short quick steps on the spot", INK, size=13)
    return d


def way_through() -> Drawing:
    """From a file to a checked answer."""
    d = Drawing(760, 400, "The way from a file to a checked assessment")

    def box(x: float, y: float, title: str, note: str, colour: str = INK, width: float = 150.0) -> None:
        d.frame((x, y), (width, 58), colour)
        d.text((x + width / 2, y + 25), title, colour)
        d.text((x + width / 2, y + 45), note, INK, size=11.5)

    box(10, 130, "motion file", "BVH, C3D, arrays …")
    box(200, 130, "clip", "22 joints, m, native rate")
    box(400, 40, "measures", "values, events, reasons", MARK)
    box(400, 220, "features", "263 at 20 frames a second", LEFT, 165)
    box(590, 220, "motion tokens", "8 codes every 0.4 s", LEFT)
    box(590, 130, "prompt", "evidence and tokens")
    box(590, 320, "language model", "writes, then scores", RIGHT)
    box(390, 320, "check", "each claim is measured?", MARK, 160)
    box(200, 320, "assessment", "score, text, measures")
    d.arrow((160, 159), (198, 159), INK)
    d.arrow((350, 150), (398, 80), MARK)
    d.arrow((350, 168), (398, 238), LEFT)
    d.arrow((565, 249), (588, 249), LEFT)
    d.arrow((550, 80), (640, 128), MARK)
    d.arrow((665, 219), (665, 190), LEFT)
    d.line([(740, 159), (752, 159), (752, 349)], INK, 2.0)
    d.arrow((752, 349), (742, 349), INK)
    d.arrow((589, 349), (552, 349), RIGHT)
    d.arrow((389, 349), (352, 349), INK)
    d.line([(430, 98), (380, 150), (380, 290), (430, 290)], MARK, 1.6, "5 5")
    d.arrow((430, 290), (450, 318), MARK)
    d.text((275, 245), "measured values", MARK, "middle", 12)
    d.text((275, 261), "go straight to the check", MARK, "middle", 12)
    return d


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "skeleton": walking_figure,
    "way_through": way_through,
    "steps": steps,
    "gait_cycle": gait_cycle,
    "walking_speed": walking_speed,
    "stride_variability": stride_variability,
    "arm_swing": arm_swing,
    "trunk_flexion": trunk_flexion,
    "foot_clearance": foot_clearance,
    "foot_strike_angle": foot_strike_angle,
    "turn": turn,
    "freezing": freezing,
}


def main(folder: Path) -> None:
    """Write every drawing into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in DRAWINGS.items():
        (folder / f"{name}.svg").write_text(make().svg(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
