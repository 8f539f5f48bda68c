"""Words, sentence frames and code frames: the raw material of all invented text."""

from __future__ import annotations

_NOUNS = """
anchor archive artifact attempt balance banner barrier basket batch beacon binding block border branch bridge bucket
buffer bundle cache canvas capsule carrier catalog cell channel chapter checkpoint chunk circuit clause cluster codec
column command compass component constraint container context contract corner counter cursor cycle daemon dataset
deadline decoder delta depot descriptor digest dispatch document domain draft edge element embed encoder endpoint engine
entry envelope epoch event exchange export extent facet factory feature feed fence fiber field filter fixture flag
folder fragment frame gateway gauge glyph grammar graph grid group guard handle harbor hash header hinge history hook
horizon hub index ingest inlet interval invoice island journal junction kernel key label lane lattice layer layout leaf
ledger lens level lexer limit line link listing loader locale lock lookup loop manifest map margin marker mask matrix
meadow measure member merge mesh message meter mirror module monitor mount needle network node notice number object
offset operand option orbit order origin outlet packet page pair panel parcel parser partition patch path pattern
payload peer phase pipeline pivot plane planner plugin point policy pool portal prefix preset probe profile proxy pulse
quarry query queue quota radius range record reducer region registry relay remote render replica report request reserve
resolver response result retry ribbon ring river rotor route row rule sample scale schema scope score seal section
sector segment sensor session shard shelf signal sink slice slot snapshot socket source span spindle spool stack stage
stamp state station stitch store stream stripe suffix summary surface switch symbol table tag target task template
tenant thread threshold ticket tile timer token topic trace track transfer transform tree trigger tunnel unit valley
value vector vendor version vessel view volume voucher walker warden watcher wave weight widget window worker wrapper
yard zone
"""
_VERBS = """
accept adjust align allocate append apply assemble attach balance bind build cancel capture check claim clamp clear
close collapse collect combine commit compare compile compress compute configure consume convert copy count decode defer
derive detach detect discard dispatch drain emit encode enqueue ensure evict expand expire export extract fetch fill
filter find finish flatten flush fold format freeze gather guard handle import infer insert inspect join load locate
lock match measure merge migrate mount move normalize notify open pack parse patch pause peek persist pick plan prefetch
prepare probe prune publish pull push quote read rebuild recover reduce refresh register release reload remove render
reorder repair replace replay report request reset resolve restore resume retry rewrite rotate route scan schedule seek
select send settle shift shrink skip sort split spread stage start store strip submit swap sync tag throttle trace track
translate trim unpack update validate verify visit walk watch widen wrap write
"""
_ADJECTIVES = """
active bare broken cached closed compact current dirty distant empty expired external final fresh frozen hidden idle
inner late lazy local long lost mixed nested new next null odd old open outer partial pending plain previous private
quiet ready remote shared short single sparse stale strict valid virtual wide
"""
NOUNS, VERBS, ADJECTIVES = _NOUNS.split(), _VERBS.split(), _ADJECTIVES.split()

FRAMES = (
    "The {a} {n} is read before `{f}` has had a chance to {v} it, so the {m} keeps its {b} value.",
    "I should check how `{f}` behaves when the {n} is {a}, since the {m} depends on that.",
    "If the {n} holds {k} entries the {m} gets skipped, which would explain what the report describes.",
    "There are {k} callers of `{f}`, and only one of them passes the {a} {n}.",
    "That matches the description: the {m} never sees the {a} {n} because `{f}` returns early on line {k}.",
    "The smallest change would be to {v} the {n} first and leave the {m} as it is.",
    "The test on line {k} covers the {a} case but not the {b} one.",
    "Before I touch anything, let me see where the {m} comes from and who may {v} it.",
    "Nothing else in `{f}` looks at the {n}, so it should be safe to {v} it there.",
    "It is not clear yet whether the {a} {n} or the {b} {m} is to blame.",
    "The docstring of `{f}` promises to {v} each {n}, and the code does so only for the {a} ones.",
    "What happens with zero {n} objects? The loop body is not entered and {m} stays unset.",
    "So the {n} has to survive a round trip through `{f}`, even when its {m} is {a}.",
    "Any {n} with a {b} {m} is legal here, see the comment near line {k}.",
    "I also want to try it with {k} rows, because the {m} is rebuilt after that many.",
    "Both branches {v} the {n}; the difference is only in how the {b} {m} is handled.",
    "The name suggests that `{f}` will {v} the {n}, but in fact it mutates the {m}.",
    "One more place to look at is the {m} in the {a} path, where the same check is repeated.",
    "This fails for the {b} {n} as well, with exit code {k}.",
    "Since `{f}` is public I must keep its signature and its {m} untouched.",
    "Let me keep the {a} {n} as the default and only {v} when the {m} asks for it.",
    "Running it {k} times gives the same {m}, so the order of the {n} list is not the cause.",
    "Hmm, {k} is suspiciously close to the size of the {m}; does anybody {v} the {n} twice?",
    "Someone renamed the {n} to {m} at some point, and `{f}` still uses the old word.",
    "With the {b} {n} in place of the {a} one, line {k} is never reached.",
    "Importing `{f}` from the {m} would make a cycle, so the helper has to move into the {n}.",
    "Wait, the {a} {m} is compared by identity here and by value {k} lines further down.",
    "The {n} may be shared by several {m} objects, hence the copy in `{f}`.",
    "Callers that {v} the {n} themselves pay for it twice now: {k} ms instead of half of that.",
    "I could either {v} in `{f}` or let the {m} do it lazily; the first is easier to test.",
    "No caller relies on the {b} order, I grepped for `{f}` and found {k} matches.",
    "The warning on line {k} goes away once the {n} is {a}, though the {m} is still wrong.",
    "Python would accept None for the {n}, and then `{f}` fails much later with a {m} error.",
    "Good: {k} assertions hold, and the {a} {n} is what `{f}` now returns.",
    "The {m} module has its own way to {v} the {n}; I will not touch that one.",
    "According to the changelog the {n} became {a} in release {k}, which fits the history of `{f}`.",
)
"""Sentences of thought. a, b: adjectives; n, m: nouns; v: a verb; f: a function; k: a number."""

TITLES = (
    "{N} is lost when {m} is {a}",
    "`{f}` does not {v} the {a} {n}",
    "Wrong {m} after `{f}` when the {n} is {b}",
    "{N} count is off by one for {a} {m} objects",
    "`{f}` raises for the {a} {n} instead of returning the {m}",
)
"""Titles of issues, with the same letters; N: a noun with a capital."""

STATEMENTS = (
    "{x} = self.{n}.{f}({y}, {z})",
    "{x} = self._{m}.setdefault({y}.{n}, {z})",
    "if {x} is None:\n    {x} = {c}({n}={k})",
    "for {y} in {x}.{f}():\n    ...",
    "if {x}.{n} > {k} and not {y}.is_{a}:\n    ...",
    "while len({x}) > {k}:\n    ...",
    'raise ValueError(f"cannot {v} {n} {{{x}!r}}: {m} is {b}")',
    'logger.debug("{v} %s after %d ms", {x}, {k})',
    "{x} = [{n} for {n} in {y} if {n}.{m} != {z}]",
    "{x} = {{{n}.{m}: {y} for {n} in {z} if {n}}}",
    "try:\n    {x} = {f}({y}, {n}={k})\nexcept {e}:\n    {x} = {z}",
    "with self._{n}_lock:\n    self._{m}[{x}] = {y}",
    "# {s}",
    '{x} = {y}.get("{n}_{m}", {k})',
    "assert len({x}) <= {k}, {y}",
    "{x}, {y} = {y}, {x}.{n}[:{k}]",
    "{x} += {k}",
    "{f}({x}, *{y}, {n}={z})",
    "return {x}.{f}({y}, {n}={z} or {k})",
    '{x} = {c}.from_{n}({y}, mode="{a}", {m}=0x{k:04x})',
    "self.{n}_{m} = {x} if {y} else {k}",
    "del self._{n}[{x}:{k}]",
    'warnings.warn("{n} is {a}; {v} the {m} instead", {c}Warning, stacklevel=2)',
    "yield {f}({x}), {y}",
)
"""Python statements. x, y, z: local names; c: a class; e: an exception; s: a sentence; `...`: more statements."""

EXCEPTIONS = ("ValueError", "KeyError", "TypeError", "AttributeError", "RuntimeError", "OSError")
