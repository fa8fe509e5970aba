"""Russian: pymorphy3's dictionary for forms and agreement, and a sentiment lexicon of our own (``data/``)."""

import re
from collections.abc import Sequence
from functools import lru_cache

import pymorphy3
from pymorphy3.analyzer import Parse

from reports.writers.extractive.language import Cues, Phrase, Token, TokenKind, most_said
from reports.writers.extractive.lexicon import read_valences, read_words

NEGATION_REACH_WORDS = 2
VALENCE_SOFTENER = 6.0

_CONTENT_PARTS = frozenset({"NOUN", "ADJF", "ADJS", "VERB", "INFN", "PRTF", "PRTS", "GRND"})
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")

_VAGUE_LEMMAS = read_words("ru_vague_lemmas.txt")

_MONTHS_AND_DAYS = (
    r"понедельник\w*|вторник\w*|сред[уы]|четверг\w*|пятниц\w+|суббот\w+|воскресень\w+|январ\w+|феврал\w+|март[ае]?|"
    r"апрел\w+|ма[йяе]|июн\w+|июл\w+|август\w*|сентябр\w+|октябр\w+|ноябр\w+|декабр\w+"
)
_OPENERS = (
    r"(?:ну|вот|так|значит|в общем|в принципе|короче|то есть|как бы|типа|собственно|слушай|слушайте|да|нет|итак|"
    r"хорошо|понятно|ясно|ладно|конечно|отлично)"
)

_CUES = Cues(
    courtesy=re.compile(
        r"\b(?:здравствуйте|приветствую|добр(?:ый|ое|ого) (?:день|утро|вечер)|спасибо|всем пока|до свидания|"
        r"меня (?:хорошо )?слышно|слышно меня|давайте нач\w+|чем (?:я )?могу помочь|меня зовут|назовите|в эфире|"
        r"к спорту|приношу извинения|мне очень жаль|что у нас|(?:первый|второй|третий|следующий) вопрос,)",
        re.IGNORECASE,
    ),
    outcome=re.compile(
        r"\b(?:реши(?:ли|м|ть)|решен\w+|договори\w+|согласован\w*|утвер[дж]\w+|подписыва\w+|подпи(?:шем|сать)|"
        r"подготов\w+|предлага\w+|предложи\w+|планиру\w+|план\w*|обеща\w+|поруч\w+|ответствен\w+|срок\w*|требу\w+|"
        r"расторга\w+|отправ(?:лю|им|ит|ьте)|оформ\w+|верн[уёи]\w+|возврат\w*|подам|обращусь|объяв\w+|"
        r"до (?:конца|понедельника|вторника|среды|четверга|пятницы|\d+ [а-я]+))\b",
        re.IGNORECASE,
    ),
    emphasis=re.compile(
        r"\b(?:нужно|надо|необходимо|долж\w+|хоч\w+|хотим|станет|буд(?:у|ет|ем|ут)|начн[её]т|получ(?:ит|ат|им)|"
        r"потому что|поэтому|из-за|причин\w+|главн\w+|называ\w+тся|открыл\w+|впервые)\b",
        re.IGNORECASE,
    ),
    figure=re.compile(
        r"\d|\b(?:тысяч\w*|миллион\w*|миллиард\w*|процент\w*|рубл\w+|двадцат\w+|тридцат\w+|сорок\w*|пятьдесят|сто|"
        rf"двест\w+|триста|десят\w+|{_MONTHS_AND_DAYS})\b",
        re.IGNORECASE,
    ),
    dangling=re.compile(
        r"^(?:он|она|оно|они|его|ее|её|их|это|этот|эта|эти|там|тут|здесь|туда|тогда|потом|поэтому|"
        r"из-за (?:этого|них|него)|а|и|но|то есть|тоже|также|да|нет|можно|теперь|одновременно|ещ[её]|кто|что|как|"
        r"сколько|к сожалению)\b|\b(?:и|или|а|но|что|чтобы|в|на|с)[.…]?$",
        re.IGNORECASE,
    ),
    rambling=re.compile(r"\b(?:как бы|в общем|типа|короче|так сказать|не знаю|наверное|вроде бы)\b", re.IGNORECASE),
    acknowledgement=re.compile(
        r"^(?:(?:хорошо|отлично|понятно|ясно|ладно|да|нет|ну|согласен|прекрасно|замечательно)[,.!?\s]+)+", re.IGNORECASE
    ),
    filler=re.compile(
        r"(?:,\s*)?\b(?:э+м+|э-э+|м-м+|гм+|хм+)\b[,.]?|,\s*(?:как бы|так сказать|в общем|короче|типа|ну|вот)(?=,)"
        rf"|^(?:{_OPENERS},\s+)+|^(?:ну|вот|то есть)\s+(?:и\s+)?",
        re.IGNORECASE,
    ),
)

_NEGATIONS = frozenset({"не", "ни", "без", "нет", "никакой", "никаких", "никаким", "никакие", "никогда", "нельзя"})
_BOOSTERS = frozenset({"очень", "крайне", "совсем", "совершенно", "абсолютно", "просто", "ужасно", "слишком"})


class Russian:
    empty_summary = "В записи нет речи, которую можно изложить."
    cues = _CUES

    def __init__(self, code: str) -> None:
        self.code = code
        self._morph = pymorphy3.MorphAnalyzer()
        self._parses = lru_cache(maxsize=50_000)(self._parse)
        self._lexicon = read_valences("ru_sentiment.txt")

    def tokens(self, sentence: str) -> list[Token]:
        return [self._token(word, is_first=i == 0) for i, word in enumerate(_WORD.findall(sentence))]

    def spell(self, text: str) -> str:
        return text

    def phrases(self, tokens: Sequence[Token]) -> list[Phrase]:
        """Noun; adjective and noun that agree; noun and the noun it governs ("договор аренды")."""
        found: list[Phrase] = []
        for i, token in enumerate(tokens):
            if token.kind != "noun" or not token.is_content:
                continue
            opened = tokens[i - 1] if i > 0 and self._agree(tokens[i - 1], token) else None
            governed = self._governed(tokens, i)
            found.append((token,))
            found += [(opened, token)] if opened else []
            found += [(token, *governed)] if governed else []
            found += [(opened, token, *governed)] if opened and len(governed) == 1 else []
        return found

    def label(self, occurrences: Sequence[Phrase]) -> str:
        """The phrase in the nominative, in the number it was mostly said in."""
        plurals = sum("plur" in self._noun(self._head(phrase)).tag for phrase in occurrences)
        number = "plur" if 2 * plurals > len(occurrences) else "sing"
        return most_said(self._nominative(phrase, number) for phrase in occurrences)

    def valence(self, sentence: str) -> float:
        opinion = _CUES.acknowledgement.sub("", _CUES.courtesy.sub(" ", sentence))
        words = [word.lower().replace("ё", "е") for word in _WORD.findall(opinion)]
        total = 0.0
        for i, word in enumerate(words):
            before = words[max(0, i - NEGATION_REACH_WORDS) : i]
            value = self._word_valence(word, before)
            total += value * (1.3 if before and before[-1] in _BOOSTERS else 1.0)
        return float(total / (total * total + VALENCE_SOFTENER) ** 0.5)

    def _word_valence(self, word: str, before: Sequence[str]) -> float:
        lemma = _plain(self._parses(word)[0].normal_form)
        if before and before[-1] == "не" and f"не_{lemma}" in self._lexicon:
            return self._lexicon[f"не_{lemma}"]
        value = self._lexicon.get(word, self._lexicon.get(lemma, 0.0))
        if not any(other in _NEGATIONS for other in before):
            return value
        return -0.7 * value if value > 0 else -0.4 * value

    def _parse(self, word: str) -> list[Parse]:
        parses: list[Parse] = self._morph.parse(word)
        return parses

    def _token(self, word: str, *, is_first: bool) -> Token:
        lower = word.lower()
        best = self._parses(lower)[0]
        lemma = _plain(best.normal_form)
        is_word = any(character.isalpha() for character in lower) and len(lower) > 1
        is_foreign = "LATN" in best.tag
        is_content = (
            is_word
            and (is_foreign or best.tag.POS in _CONTENT_PARTS)
            and "Apro" not in best.tag
            and lemma not in _VAGUE_LEMMAS
        )
        return Token(word, lemma, lemma, _kind(best) if is_word else "other", is_content, is_first)

    def _noun(self, token: Token) -> Parse:
        """The likeliest reading of ``token`` as a noun; its likeliest reading if there is none."""
        parses = self._parses(token.text.lower())
        return next((parse for parse in parses if parse.tag.POS == "NOUN"), parses[0])

    def _agree(self, adjective: Token, noun: Token) -> bool:
        is_telling = adjective.kind == "adjective" and adjective.is_content and adjective.lemma not in self._lexicon
        return is_telling and self._agreement(adjective, noun) is not None

    def _agreement(self, adjective: Token, noun: Token) -> tuple[Parse, Parse] | None:
        """Readings of the two in one case, number and gender."""
        for noun_parse in self._parses(noun.text.lower()):
            for parse in self._parses(adjective.text.lower()):
                if (
                    noun_parse.tag.POS == "NOUN"
                    and parse.tag.POS in ("ADJF", "PRTF")
                    and parse.tag.case == noun_parse.tag.case
                    and parse.tag.number == noun_parse.tag.number
                    and (parse.tag.number == "plur" or parse.tag.gender == noun_parse.tag.gender)
                ):
                    return parse, noun_parse
        return None

    def _governed(self, tokens: Sequence[Token], head: int) -> Phrase:
        """What the noun at ``head`` governs: a noun, or an adjective and a noun; empty if nothing follows it so."""
        after = tokens[head + 1 : head + 3]
        if after and after[0].kind == "noun" and after[0].is_content and self._is_governed(after[0]):
            return (after[0],)
        if len(after) == 2 and after[1].kind == "noun" and after[1].is_content and self._agree(after[0], after[1]):
            pair = self._agreement(after[0], after[1])
            if pair and self._is_governed(after[1]) and self._is_governed(after[0]):
                return (after[0], after[1])
        return ()

    def _is_governed(self, token: Token) -> bool:
        """In the genitive ("договор аренды"), the instrumental ("обмен данными"), or one form for all ("метро")."""
        tag = self._parses(token.text.lower())[0].tag
        return tag.case in ("gent", "ablt") or "Fixd" in tag

    def _head(self, phrase: Phrase) -> Token:
        return next(token for token in phrase if token.kind == "noun")

    def _nominative(self, phrase: Phrase, number: str) -> str:
        at = phrase.index(self._head(phrase))
        noun = self._noun(phrase[at])
        if at > 0 and (pair := self._agreement(phrase[at - 1], phrase[at])):
            noun = pair[1]
        inflected = noun.inflect({"nomn", number}) or noun.inflect({"nomn"}) or noun
        gender = {inflected.tag.gender} if inflected.tag.number == "sing" and inflected.tag.gender else set()
        words = []
        for token in phrase[:at]:
            parse = (self._agreement(token, phrase[at]) or (self._parses(token.text.lower())[0],))[0]
            agreed = parse.inflect({"nomn", inflected.tag.number, *gender}) or parse
            words.append(agreed.word)
        words.append(_written(phrase[at], inflected.word, noun))
        words += [
            _written(token, token.text.lower(), self._parses(token.text.lower())[0]) for token in phrase[at + 1 :]
        ]
        return " ".join(words)


def _kind(parse: Parse) -> TokenKind:
    if any(grammeme in parse.tag for grammeme in ("Name", "Surn", "Patr")):
        return "name"
    if parse.tag.POS == "NOUN" or "LATN" in parse.tag:
        return "noun"
    return "adjective" if parse.tag.POS in ("ADJF", "PRTF") else "other"


def _written(token: Token, form: str, parse: Parse) -> str:
    """``form`` with the capitals of a place, an organisation or an abbreviation."""
    if token.text.isupper() and len(token.text) > 1:
        return token.text
    is_name = any(grammeme in parse.tag for grammeme in ("Geox", "Orgn", "Trad"))
    capital_inside = token.text[:1].isupper() and not token.is_first
    return form[:1].upper() + form[1:] if is_name or capital_inside else form


def _plain(word: str) -> str:
    return word.replace("ё", "е")
