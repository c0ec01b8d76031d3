"""The translation tags, translated once per language instead of once per use.

A page says some sixty fixed phrases; looking each up anew took a fifth of its time. What these tags
cannot keep (contexts, filters, phrases in variables) is left to Django's own nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.template.base import FilterExpression, Node, render_value_in_context
from django.templatetags.i18n import (
    BlockTranslateNode,
    TranslateNode,
    do_block_translate,
    do_translate,
)
from django.utils.translation import get_language, gettext, ngettext

if TYPE_CHECKING:
    from django.template.base import Parser, Token
    from django.template.context import Context


class Phrase(Node):
    """A fixed phrase; ``asvar`` names it instead of printing it."""

    child_nodelists = ()

    def __init__(self, node: TranslateNode) -> None:
        self.node = node
        self.asvar: str | None = node.asvar
        self._said: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        """Say the phrase in the language that is spoken now."""
        language = get_language()
        said = self._said.get(language)
        if said is None:
            printed = self.node.render(context)
            said = self._said[language] = context[self.asvar] if self.asvar else printed
        if self.asvar:
            context[self.asvar] = said
            return ""
        return said


class Sentence(BlockTranslateNode):
    """A sentence with values in it; its pattern is looked up once per language."""

    def __init__(self, node: Any) -> None:  # noqa: ANN401 - the stubs lack half of its fields
        super().__init__(
            node.extra_context,
            node.singular,
            node.plural,
            node.countervar,
            node.counter,
            trimmed=node.trimmed,
            asvar=node.asvar,
            tag_name=node.tag_name,
        )
        self._one, names = self.render_token_list(self.singular)
        self._counted, self._count = node.countervar, node.counter
        self._many = ""
        if self.plural:
            self._many, more = self.render_token_list(self.plural)
            names = [*names, *more]
        self._names: tuple[str, ...] = tuple(dict.fromkeys(names))
        self._patterns: dict[str | None, str] = {}

    def render(self, context: Context, nested: bool = False) -> str:  # noqa: FBT001, FBT002
        """Fill the sentence; whatever does not go plainly goes Django's way."""
        values = {name: value.resolve(context) for name, value in self.extra_context.items()}
        if self._many:
            count = values[self._counted] = self._count.resolve(context)
            if type(count) is not int:
                return super().render(context, nested)
            pattern = ngettext(self._one, self._many, count)
        else:
            pattern = self._pattern()
        try:
            shown = {
                name: render_value_in_context(
                    values[name] if name in values else context[name], context
                )
                for name in self._names
            }
            return pattern % shown
        except (KeyError, ValueError):
            return super().render(context, nested)

    def _pattern(self) -> str:
        language = get_language()
        found = self._patterns.get(language)
        if found is None:
            found = self._patterns[language] = gettext(self._one)
        return found


def _is_fixed(expression: FilterExpression) -> bool:
    is_text = isinstance(expression.var, str) or isinstance(
        getattr(expression.var, "literal", None), str
    )
    return is_text and not expression.filters


def translate(parser: Parser, token: Token) -> Node:
    """Read ``{% translate %}``: fixed phrases are kept, others are Django's."""
    node: Any = do_translate(parser, token)
    simple = isinstance(node, TranslateNode) and not node.noop and not node.message_context
    return Phrase(node) if simple and _is_fixed(node.filter_expression) else cast("Node", node)


def blocktranslate(parser: Parser, token: Token) -> Node:
    """Read ``{% blocktranslate %}``: those without context and name are kept."""
    node: Any = do_block_translate(parser, token)
    simple = isinstance(node, BlockTranslateNode) and not node.message_context and not node.asvar
    return Sentence(node) if simple else cast("Node", node)
