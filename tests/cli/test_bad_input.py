"""Bad input of every kind: one sentence that names it, or the right result; never a traceback, nothing in the store."""

import pytest
from bad_inputs import CASES, Case
from ended import Ended

from medcls.cli.main import main


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bad_input_ends_in_one_sentence_or_the_right_result(case: Case, place, tmp_path, capfd, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    case.make(data)

    def filled(text: str) -> str:
        return text.replace("@data", str(data)).replace("@here", str(tmp_path))

    monkeypatch.delenv("MEDCLS_DATA", raising=False)
    for name, value in case.environment.items():
        monkeypatch.setenv(name, filled(value)) if value else monkeypatch.delenv(name, raising=False)
    program, *arguments = map(filled, case.command.split())
    if program == "medcls":
        places = ["--work-dir", str(place.work), "--tracking-uri", f"sqlite:///{place.store}"]
        code = main([*arguments[:2], *places, *arguments[2:]])
        ended = Ended(code, *capfd.readouterr())
    else:
        ended = place.run({"bonus_resnet": place.BONUS, "tiny_study": place.TINY}[program], *arguments)
    if case.code:
        ended.check_complaint(case.code, *map(filled, case.words))
    else:
        assert (ended.code, ended.err) == (0, "")
        assert [word for word in case.words if filled(word) not in ended.out] == []
    place.check_clean() if case.code == 0 else place.check_untouched()
