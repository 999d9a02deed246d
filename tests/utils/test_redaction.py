"""No password, token or key that a user gives is shown again, whatever characters it has and whoever repeats it."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy
from hypothesis import example, given
from hypothesis import strategies as st

from medcls.cli import main
from medcls.utils.errors import BadInputError, TrainingError, first_line
from medcls.utils.redaction import text_without_secrets, without_secrets

MARK = "tiramisu"  # within each password, so that it cannot stand elsewhere by chance
SCHEMES = ("postgresql", "mysql+pymysql", "https", "sftp", "s3", "redis", "foo", "simplecache::s3")
PARAMETERS = ("password", "passwd", "token", "access_token", "api_key", "AWSSecretAccessKey", "X-Amz-Signature", "sig")
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
passwords = st.builds("{}tiramisu{}".format, visible, visible)
hosts = st.sampled_from(["host", "host:5432", "host:notaport", "127.0.0.1:1", "a:1,b:2", "[::1]:5432", ""])
tails = st.sampled_from(["", "/", "/name", "/a/b?sslmode=require", "?host=/tmp/socket", "/name?user=a@b"])


@given(st.sampled_from(SCHEMES), st.sampled_from(["me", "", "first.last", "me%40here"]), passwords, hosts, tails)
@example("postgresql", "me", "a@tiramisu", "host", "/name")
@example("postgresql", "me", "12/tiramisu", "host", "/name")
@example("foo", "user", "tiramisu", "", "")
@example("https", "me", "a?password=tiramisu", "host", "")
@example("https", "me", "x@tiramisu&token=y", "host", "")
def test_the_password_of_a_url_never_appears(scheme: str, name: str, password: str, host: str, tail: str) -> None:
    for written in (password, quote(password, safe="")):
        url = f"{scheme}://{name}:{written}@{host}{tail}"
        for shown in (
            without_secrets(url),
            without_secrets(f"--storage={url}"),
            text_without_secrets(f"It cannot be reached ({url} is no place) at all."),
            text_without_secrets(f"connection to 'me:{password}@{host}' failed", url),
            str(BadInputError(f"--storage {url} cannot be used")),
            str(TrainingError(f"{url} is out of reach")),
            first_line(ValueError(f"Could not parse {url}")),
        ):
            assert MARK not in shown


@given(st.sampled_from(SCHEMES), hosts, st.sampled_from(PARAMETERS), passwords)
@example("postgresql", "host:5432", "password", "a@tiramisu")
def test_secrets_among_the_parameters_of_a_url_never_appear(scheme: str, host: str, name: str, secret: str) -> None:
    for url in (f"{scheme}://{host}/name?{name}={secret}", f"{scheme}://me@{host}/name?a=b&{name}={secret}&sslmode=x"):
        assert MARK not in without_secrets(url)
        assert MARK not in text_without_secrets(f"no answer from {url}")


@pytest.mark.parametrize("blank", ["ti ra misu", "tira\tmisu"])
def test_blanks_in_a_password_do_not_end_it(blank: str) -> None:
    url = f"postgresql://me:{blank}@host/name"
    assert without_secrets(url) == "postgresql://host/name"
    assert "misu" not in text_without_secrets(f"cannot parse {url}", url)


@pytest.mark.parametrize(
    "text",
    [
        "MLFLOW_TRACKING_TOKEN=tiramisu PGPASSWORD='tiramisu' AWS_SECRET_ACCESS_KEY=tiramisu",
        "host=here password=tiramisu dbname=x",
        'failed with {"password": "tiramisu", "user": "me"}',
        "MEDCLS_STORAGE=postgresql://me:tiramisu@host/name",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dtiramisu",
        "https://tiramisu@host/repository",
        "https://bucket.host/key?AWSAccessKeyId=tiramisu&Signature=tiramisu&Expires=1",
        "https://host/x?pass%77ord=tiramisu",
    ],
)
def test_settings_and_tokens_are_hidden_too(text: str) -> None:
    assert MARK not in text_without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////home/a@b/mlflow.db",
        "sqlite:////home/a:b@c/mlflow.db",
        "s3://bucket/runs@2024",
        "models:/medcls-task1@champion",
        "ray://HOST:PORT",
        "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning",
        "write PATH=VALUE, e.g. learner.epochs=5",
        "--set task.lowpass=3 and learner.tokens=4; no password: give one",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert text_without_secrets(text) == text
    assert without_secrets(text) == text


@pytest.mark.parametrize("url", ["postgresql://me:12@tira:misu/x@host:y/name", "postgresql://me:tira@misu@host:port/x"])
def test_what_a_library_tears_a_url_into_is_hidden(url: str) -> None:
    """SQLAlchemy takes the first @ for the end of the password, and then says what it makes of the rest."""
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever it says
        sqlalchemy.create_engine(url).connect()
    said = text_without_secrets(str(refused.value), url)
    assert "misu" not in said
    assert "tira" not in said


def test_where_a_server_is_open_is_said_without_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["ui", "--tracking-uri", f"https://me:a@{MARK}/@host:5000"]) == 0
    assert capsys.readouterr().out == "The store is a server: open https://host:5000\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [
        ("--storage", "foo://me:tiramisu@"),
        ("--storage", "postgresql://me:tiramisu@host:notaport/name"),
        ("--storage", "postgresql://me:a@tira/tiramisu@127.0.0.1:1/name"),
        ("--tracking-uri", "foo://me:tiramisu@host"),
        ("--tracking-uri", "postgresql://127.0.0.1:1/name?password=tiramisu"),
        ("--work-dir", "nowhere://me:tiramisu@host/runs"),
        ("--storag", "postgresql://me:tira misu tiramisu@host/name"),
        ("--executor", "ray://me:tiramisu@host:1"),
    ],
)
def test_commands_that_are_refused_do_not_repeat_the_password(flags: tuple[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "medcls", "run", "bonus_resnet", "--smoke", "--data", "xray", *flags]
    if flags[0] != "--work-dir":
        command += ["--work-dir", str(tmp_path / "runs")]
    if flags[0] != "--tracking-uri":
        command += ["--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert MARK not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or MARK.encode() not in path.read_bytes(), path
