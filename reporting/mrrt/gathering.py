"""Fields gathered on the walk: each control with the words that tell what it is, several choices as one field."""

from __future__ import annotations

from reporting.mrrt import words
from reporting.mrrt.controls import Draft, add_option, common, draft_of, option_words
from reporting.mrrt.notes import Words, quoted
from reporting.mrrt.schema import FIELDS, LABEL, OPTION
from reporting.mrrt.tags import CONTROLS
from reporting.mrrt.tree import Node, attribute, elements, has, is_text, line_of, text_of
from reporting.mrrt.walking import Walk


class Fields(Walk):
    """Puts fields into the section at hand."""

    def chain(self, labelled: bool) -> list[Words]:
        """The words around this place, from the outside in: heads of rows, head of the column, line, words before."""
        found: list[Words] = []
        for depth, table in enumerate(self.tables):
            found += [one for one in table.cells[:1] if one is not None]
            if depth == len(self.tables) - 1:
                within = [one for one in table.cells[1:] if one is not None]
                found += within[-1:]
                if table.column and len(table.heads) > table.column:
                    found.append(table.heads[table.column])
        if self.lead is not None:
            found.append(self.lead)
        elif self.beside is not None and not labelled and self.beside not in found:
            found.append(self.beside)
        said = " ".join(one.text for one in self.hand)
        if said:
            found.append(Words(said, self.hand[0].line))
        return [one for one in found if words.label(one.text, LABEL)]

    def control(self, node: Node, label: str = "") -> None:
        if id(node) in self.spent:
            return
        if node.name == "input" and attribute(node, "type").strip().lower() == "radio":
            self.choices(node, attribute(node, "name"))
            return
        if node.name not in ("input", "select", "textarea"):
            self.notes.dropped(line_of(node), f"a <{node.name}>, which is no field of a report")
            return
        if node.name == "input" and self.belongs_to_others(node):
            self.choices(node, attribute(node, "name"))
            return
        made = draft_of(node, self.notes)
        if made is None:
            return
        self.suggest(made)
        self.name(made, label or self.label_of(node))
        self.behind(made)

    def label_of(self, node: Node) -> str:
        held = self.labels.get(attribute(node, "id") or attribute(node, "name"))
        return self.words_of(held, LABEL) if held is not None else ""

    def words_of(self, node: Node, longest: int) -> str:
        """What a label says; without the colon at its end, unless it was written here."""
        return (words.line if self.notes.exact else words.label)(text_of(node), longest)

    def name(self, made: Draft, label: str) -> None:
        """Put a field into its section, with the words that tell what it is."""
        if not label and made.type == "checkbox" and not self.hand:
            label = self.text_behind(made.node)
        around = self.chain(bool(label))
        if label and self.hand:
            for one in self.hand:
                self.unused(one)
            around = around[:-1]
        for one in around:
            one.used = True
        said = [words.label(one.text, LABEL) for one in around]
        if not label and self.hand and self.behind_number and len(said) > 1 and not self.hand[-1].text.endswith(":"):
            said[-2:] = [f"{said[-2]}: {said[-1]}"]  # words behind a number say more about it than about what follows
        own = label or ("" if said else self.spare_label(made))
        made.chain = [*said, own] if own else said
        if made.type == "checkbox" and made.chain:
            made.chain = [": ".join(dict.fromkeys(made.chain))]
        if self.heading is not None and made.chain:
            made.chain.insert(0, words.label(self.heading.text, LABEL))
            made.heading = self.heading
        self.hand = []
        self.beside = Words(made.chain[-1], made.line, used=True) if made.chain else None
        self.behind_number = made.type == "number"
        if self.notes.exact:
            made.chain, made.heading = [label], None
        made.element_code = self.element_code
        if not self.open:
            self.notes.repaired(made.line, f"field {made.name} stands in no section; it is put into “Report”")
        self.keep(made)

    def keep(self, made: Draft) -> None:
        self.fields += 1
        if self.fields > FIELDS:
            self.notes.dropped(made.line, f"field {made.name}: there are more than {FIELDS}")
        else:
            self.here.drafts.append(made)

    def spare_label(self, made: Draft) -> str:
        said = next(
            (attribute(made.node, name) for name in ("aria-label", "placeholder") if attribute(made.node, name)), ""
        )
        return words.label(said, LABEL)

    def text_behind(self, node: Node) -> str:
        """The words right behind a choice."""
        after = self.after.get(id(node))
        if after is None or not is_text(after):
            return ""
        self.spent.add(id(after))
        return words.label(str(after.data or ""), LABEL)

    def behind(self, made: Draft) -> None:
        """A unit written behind a number is its unit."""
        after = self.after.get(id(made.node))
        if made.type != "number" or after is None or not is_text(after) or self.notes.exact:
            return
        text = words.line(str(after.data or ""), 200)
        found = words.unit_in(text)
        if not found:
            return
        if not made.units:
            made.units = found
            self.notes.repaired(made.line, f"the unit {found} of a number is taken from the words behind it")
        self.spent.add(id(after))
        rest = text.split(maxsplit=1)[1:]
        if rest:
            self.say(rest[0], line_of(after))

    def suggest(self, made: Draft) -> None:
        """What a datalist offers. A list that may also be typed over stays free text, so that nothing that could be
        written is lost."""
        listed = self.datalists.get(attribute(made.node, "list"))
        if listed is None:
            if has(made.node, "list"):
                self.notes.dropped(
                    made.line, f"field {made.name}: its list {quoted(attribute(made.node, 'list'))} is not there"
                )
            return
        self.spent.add(id(listed))
        for one in elements(listed):
            if one.name == "option":
                value, label = option_words(one)
                add_option(made, value or label, value or label, attribute(one, "id"), line_of(one), self.notes)
        made.suggestions = [value for value, _, _ in made.options]
        if made.type not in ("text", "textarea"):
            made.options, made.suggestions = [], []
            self.notes.dropped(made.line, f"field {made.name}: its list of suggestions, which its type does not know")

    # --- several choices as one field

    def belongs_to_others(self, node: Node) -> bool:
        """Is it one of several checkboxes of one name, each with a value of its own?"""
        name = attribute(node, "name")
        if attribute(node, "type").strip().lower() != "checkbox" or not name:
            return False
        return len(self.same_name(node, name)) > 1

    def same_name(self, node: Node, name: str) -> list[Node]:
        """Those that belong together with it: checkboxes only where each has a value of its own."""
        kind = attribute(node, "type").strip().lower()
        found = self.alike.get((kind, name), [])
        if kind == "checkbox" and len({attribute(one, "value") for one in found} - {""}) < len(found):
            return []
        return found

    def choices(self, node: Node, name: str) -> None:
        """Radio buttons or checkboxes of one name: one field."""
        several = attribute(node, "type").strip().lower() == "checkbox"
        members = self.same_name(node, name) if name else [node]
        made = Draft(node, "selection", name or attribute(node, "id"), line_of(node))
        common(made, node, self.notes)
        self.fill(made, members or [node], several)
        if made.options:
            self.name(made, "")
        else:
            self.notes.dropped(made.line, f"field {made.name}: it offers nothing to choose")

    def group(self, node: Node) -> None:
        """An element that says it is a field and holds its choices, or a value to merge."""
        inside = [one for one in elements(node) if one.name in CONTROLS]
        boxes = [one for one in inside if attribute(one, "type").strip().lower() in ("checkbox", "radio")]
        if not boxes:
            if inside:
                self.notes.repaired(line_of(node), f"the field type of <{node.name}> is asked of the fields in it")
                self.visit(node)
            else:
                self.merge_place(node)
            return
        several = attribute(boxes[0], "type").strip().lower() == "checkbox"
        made = Draft(node, "selection", attribute(node, "id"), line_of(node))
        made.raw_id = made.raw_id or attribute(boxes[0], "name")
        common(made, node, self.notes)
        for one in elements(node):
            self.look_at_attributes(one)
        self.fill(made, boxes, several)
        self.name(made, self.label_of(node))
        self.twins(made, node, inside, boxes)

    def merge_place(self, node: Node) -> None:
        made = Draft(node, "merge", attribute(node, "id"), line_of(node))
        common(made, node, self.notes)
        made.default = words.line(text_of(node), OPTION)
        self.name(made, self.label_of(node))

    def fill(self, made: Draft, members: list[Node], several: bool) -> None:
        chosen: list[str] = []
        if several:
            self.notes.repaired(
                made.line, "checkboxes that belong together are a SELECTION_LIST of which several may be chosen"
            )
        for one in members:
            self.spent.add(id(one))
            held = self.labels.get(attribute(one, "id"))
            behind = "" if held is not None else self.text_behind(one)
            label = self.words_of(held, OPTION) if held is not None else behind
            value = words.line(attribute(one, "value"), OPTION) or label
            taken = add_option(made, value, label or value, attribute(one, "id"), line_of(one), self.notes)
            if taken and has(one, "checked"):
                chosen.append(taken)
        made.multiple = several
        made.default = tuple(dict.fromkeys(chosen)) if several else (chosen[-1] if chosen else "")

    def twins(self, made: Draft, node: Node, inside: list[Node], boxes: list[Node]) -> None:
        """A free text beside one of the choices is a field of its own, asked for when that choice is made."""
        for one in inside:
            if one in boxes:
                continue
            self.spent.add(id(one))
            twin = draft_of(one, self.notes)
            if twin is None:
                continue
            beside = next(
                (box for box in boxes if attribute(box, "id") and twin.raw_id.startswith(attribute(box, "id"))), None
            )
            option = next(
                (said for said in made.options if beside is not None and said[2] == attribute(beside, "id")), None
            )
            if option is not None:
                twin.twin_of = (made.raw_id, option[0])
                twin.default = "" if twin.default in option[:2] else twin.default
                self.notes.repaired(twin.line, f"the free text {twin.name} is shown when “{option[1]}” is chosen")
            twin.chain = [*made.chain, option[1] if option else ""]
            twin.heading = made.heading
            self.keep(twin)
