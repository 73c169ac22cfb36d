"""The one configuration file, as small sections; see `configs/emostream.yaml` for all of it with defaults."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import platformdirs
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from stream.keys import is_public_key
from stream.run_folder import run_folder
from stream.yaml_file import Section, YamlFileError, load_yaml

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Megabytes = Annotated[int, Field(ge=1, le=1_000_000)]
SectionT = TypeVar("SectionT", bound=Section)
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
_TCP = r"tcp://(\[[0-9a-fA-F:.%]+\]|[\w.*-]+):\d{1,5}"
TcpEndpoint = Annotated[str, Field(pattern=f"^{_TCP}$", max_length=200)]
Endpoint = Annotated[str, Field(pattern=f"^({_TCP}|ipc://.+)$", max_length=200)]


class Camera(Section):
    """A camera or a video stream, read with OpenCV."""

    device: int | str
    """V4L2 index (`0`), device path (`/dev/video0`), or an `rtsp://` or `http://` address."""
    width: int = Field(640, ge=32, le=7680)
    """Pixels asked of the device; wider frames are scaled down to this."""
    height: int = Field(480, ge=32, le=4320)
    """Pixels asked of the device."""
    fps: float = Field(30, gt=0, le=240)
    """Frames a second asked of the device."""
    stall_timeout_s: Seconds = 5.0
    """Without a frame for this long, the camera counts as lost and is opened again."""


class Microphone(Section):
    """A microphone, read with PyAudio (PortAudio)."""

    device: int | str = "default"
    """PortAudio device index, part of its name, or `default`; `emostream doctor` lists them."""
    stall_timeout_s: Seconds = 5.0
    """Without audio for this long, the microphone counts as lost and is opened again."""


class MediaFile(Section):
    """A media file, read with PyAV on the file's own timestamps."""

    path: Path
    """Video, audio, or both."""


class Remote(Section):
    """A source of an emostream on another host, whose `features.endpoint` this is."""

    endpoint: TcpEndpoint
    """Where that host publishes its features."""
    server_key: str = Field(min_length=40, max_length=40)
    """Its public key; `emostream keys list` shows it there."""
    video: bool = True
    """Whether the source has a camera there."""
    audio: bool = True
    """Whether it has a microphone there."""
    stall_timeout_s: Seconds = 5.0
    """When nothing has come for this long, the host counts as lost, and the connection is made anew."""

    @field_validator("server_key")
    @classmethod
    def _is_key(cls, key: str) -> str:
        if not is_public_key(key):
            raise ValueError("not a public key; `emostream keys list` shows it on the other host")
        return key


class Source(Section):
    """One place that is watched and listened to: a camera, a microphone, or both; a file; or a remote."""

    name: Name
    """Names the source in every message: lower case letters, digits, `-`, `_`."""
    camera: Camera | None = None
    """What to watch."""
    microphone: Microphone | None = None
    """What to listen to."""
    file: MediaFile | None = None
    """A file to play instead of devices."""
    remote: Remote | None = None
    """A source of the same name that is captured on another host."""

    @model_validator(mode="after")
    def _has_one_kind_of_input(self) -> Source:
        kinds = (self.camera or self.microphone, self.file, self.remote)
        if not any(kinds):
            raise ValueError("a source needs a `camera`, a `microphone`, both, or a `file`, or a `remote`")
        if sum(kind is not None for kind in kinds) > 1:
            raise ValueError("a source has either devices, or a `file`, or a `remote`")
        return self

    @property
    def has_video(self) -> bool:
        """Whether frames are to be expected."""
        remote = self.remote is not None and self.remote.video
        return self.file is not None or self.camera is not None or remote

    @property
    def has_audio(self) -> bool:
        """Whether audio is to be expected."""
        remote = self.remote is not None and self.remote.audio
        return self.file is not None or self.microphone is not None or remote


class WindowSection(Section):
    """How windows are cut; their length belongs to the bundle."""

    hop_s: float = Field(0.1, ge=0.02, le=10)
    """Seconds from one score to the next."""
    patience_s: float = Field(0.08, ge=0, le=2)
    """How long a window waits, in real time, for evidence that is still being extracted."""
    smoothing_s: float = Field(1.0, ge=0, le=60)
    """Time constant of `smoothed`; 0 turns smoothing off."""


class FaceSection(Section):
    """The face extractor."""

    max_faces: int = Field(3, ge=1, le=10)
    """Faces tracked at once."""
    scored: Literal["largest", "first", "center"] = "largest"
    """Which face is scored: the largest, the longest in view, or the nearest to the middle."""
    coverage_floor: Share | None = None
    """Share of the window that must show the face for it to count; default: the bundle's."""
    memory_ceiling_mb: Megabytes | None = None
    """Resident memory at which the worker is started anew, between two frames; default: 500 more than
    with its models loaded."""


class VoiceSection(Section):
    """The voice extractor."""

    speech_threshold: Share = 0.5
    """Silero VAD probability above which a moment counts as speech."""
    coverage_floor: Share | None = None
    """Share of the window that must be speech for it to count; default: the bundle's."""


class EndpointSection(Section):
    """When an utterance ends."""

    silence_s: Seconds = 0.5
    """Silence after speech that ends an utterance."""
    start_silence_s: Seconds = 5.0
    """Silence before any speech after which the (Vosk) recogniser starts anew."""
    max_utterance_s: Annotated[float, Field(ge=1, le=30)] = 12.0
    """Longest utterance; a longer one is split."""


class TranscriptSection(Section):
    """The transcriber."""

    engine: Literal["auto", "vosk", "whisper", "off"] = "auto"
    """`auto` takes Vosk when its model is there, else Whisper, and says which."""
    vosk_model: str = "vosk-small-en"
    """Asset name or folder of a Vosk model; the language follows the model."""
    whisper_model: str = "whisper-tiny-en"
    """Asset name or folder of a CTranslate2 Whisper model."""
    language: str = Field("en", pattern=r"^[a-z]{2,3}$")
    """Language spoken, for Whisper models that know several."""
    whisper_interim_s: Seconds = 2.0
    """Whisper transcribes an open utterance anew each time this much more audio has come."""
    whisper_threads: int = Field(1, ge=1, le=64)
    """CPU threads of Whisper."""
    endpoint: EndpointSection = EndpointSection()
    """When an utterance ends."""
    memory_ceiling_mb: Megabytes | None = None
    """Resident memory at which the worker is started anew, between two utterances; default: 500 more
    than with its models loaded."""


class TextSection(Section):
    """The words as evidence."""

    coverage_floor: Share | None = None
    """Share of the window that must be spoken words for them to count; default: the bundle's."""


class BaselineSection(Section):
    """The personal baseline: what stands out in a face or voice at rest is taken out of its scores."""

    enabled: bool = False
    """Whether it is. Messages then hold the scores after it, and those before it as `uncorrected`."""
    seconds: Seconds = 8.0
    """Seconds of evidence after which a face, or a source's voice, has its neutral point."""
    modalities: tuple[Literal["face", "voice"], ...] = ("face", "voice")
    """What is corrected."""
    strength: Share = 0.75
    """How much of what stands out in a person's face or voice at rest is taken out there."""
    follow_s: float = Field(120.0, ge=0, le=36000)
    """Time constant in which the neutral point follows evidence near it, in seconds of evidence; 0: never."""
    points: Path | None = None
    """Where `emostream calibrate` keeps neutral points, which are used instead of learning; by default
    `neutral.yaml` in the user's state folder. It holds numbers, no media."""


class InferenceSection(Section):
    """The model and where it runs."""

    bundle: str = "live"
    """Name of a bundle that comes with emostream, or a bundle's folder."""
    backend: Literal["auto", "onnxruntime", "tensorrt"] = "auto"
    """Where the model runs: `auto` times what there is on this machine, and takes the best."""
    threads: int = Field(1, ge=1, le=64)
    """CPU threads of ONNX Runtime. On the CPU that many runs go on at the same time, each on one: more than 1
    serves more sources."""


class StreamSection(Section):
    """What subscribers receive."""

    curve: bool = False
    """Encrypt it, and admit only those that `emostream keys allow` has put in the allow list."""
    endpoint: Endpoint = "tcp://127.0.0.1:5557"
    """Where the public stream is published; an address other than loopback needs `curve: true`."""
    format: Literal["json", "msgpack"] = "json"
    """Encoding of the public messages."""
    publish_transcript: bool = False
    """Also publish the words heard, as `transcript.<source>`."""

    @field_validator("endpoint")
    @classmethod
    def _is_guarded(cls, endpoint: str, others: ValidationInfo) -> str:
        if not others.data.get("curve") and not stays_on_host(endpoint):
            raise ValueError(
                "other hosts can reach this address, which needs `curve: true` and keys (`emostream keys "
                "new`, then `emostream keys allow` for each subscriber); or use a loopback address, "
                "`tcp://127.0.0.1:PORT`"
            )
        return endpoint


class FeaturesSection(Section):
    """Features for the inference on another host."""

    endpoint: TcpEndpoint | None = None
    """Where features are published for another host, always with CURVE; scores are then computed there, not
    here. `null`: nowhere."""


class GatewaySection(Section):
    """The web page, the HTTP interface and the metrics; needs the extra `gateway`."""

    enabled: bool = False
    """Whether it runs."""
    host: str = Field("127.0.0.1", pattern=r"^[0-9A-Za-z.:-]+$")
    """Address to listen on; any but a loopback address demands a token and TLS."""
    port: int = Field(8600, ge=1, le=65535)
    """TCP port to listen on."""
    token_file: Path | None = None
    """File with the token that viewers must know: 16 characters or more, readable by you alone."""
    tls_certificate: Path | None = None
    """PEM file with the server's certificate chain."""
    tls_key: Path | None = None
    """PEM file with its key."""
    allowed_origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    """Other web sites whose pages may use the interface, such as `https://dashboard.example`."""
    edit_vocabulary: bool = True
    """Whether viewers may change the words that are scored."""

    @model_validator(mode="after")
    def _is_guarded(self) -> GatewaySection:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("`tls_certificate` and `tls_key` go together")
        if not self.loopback and (self.token_file is None or self.tls_key is None):
            raise ValueError(
                f"{self.host} is not a loopback address, which demands `token_file`, `tls_certificate` and "
                "`tls_key`"
            )
        return self

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_key else 'http'}://{host}:{self.port}/"

    @property
    def loopback(self) -> bool:
        """Whether only this host can reach it."""
        return is_loopback(self.host)


class MqttSection(Section):
    """Scores and states for an MQTT broker, as Home Assistant reads them; needs the extra `mqtt`."""

    enabled: bool = False
    """Whether it runs."""
    host: str = Field("127.0.0.1", min_length=1)
    """The broker; any but a loopback address demands TLS, unless `allow_plain`."""
    port: int = Field(1883, ge=1, le=65535)
    """Its port; with TLS usually 8883."""
    tls: bool = False
    """Whether to speak TLS."""
    tls_ca: Path | None = None
    """PEM file with the authority that signed the broker's certificate; default: those of the system."""
    allow_plain: bool = False
    """Whether scores may go to another host without TLS, for everybody on the way to read."""
    username: str | None = None
    """How to sign in at the broker."""
    password_file: Path | None = None
    """File with the password, readable by you alone."""
    prefix: str = Field("emostream", pattern=r"^[^#+/\s]+(/[^#+/\s]+)*$")
    """What all topics begin with."""
    every_s: float = Field(1.0, ge=0, le=60)
    """Seconds from one set of scores to the next; 0 sends every window."""
    discovery: bool = True
    """Whether Home Assistant is told of a sensor for each emotion."""
    discovery_prefix: str = Field("homeassistant", pattern=r"^[^#+/\s]+$")
    """Where Home Assistant listens for that."""

    @model_validator(mode="after")
    def _is_guarded(self) -> MqttSection:
        if not (self.tls or self.allow_plain or is_loopback(self.host)):
            raise ValueError(
                f"{self.host} is another host, which demands `tls: true`; `allow_plain: true` sends scores "
                "there for everybody on the way to read"
            )
        return self


class LslSection(Section):
    """A Lab Streaming Layer outlet for each source; needs the extra `lsl`."""

    enabled: bool = False
    """Whether it runs."""
    scope: Literal["machine", "link", "site"] = "machine"
    """Who finds the streams: programs of this machine, of the same network, or of the whole site."""


class LogSection(Section):
    """The logs; words heard never appear in them."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe event that is logged."""


def stays_on_host(endpoint: str) -> bool:
    """Return whether only this host can reach `endpoint`."""
    loopback = r"tcp://(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+"
    return endpoint.startswith("ipc://") or re.fullmatch(loopback, endpoint) is not None


def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address without brackets, can only be this host."""
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Config(Section):
    """Everything the daemon can be told."""

    name: Name = "emostream"
    """Names this daemon; two daemons on one host need different names and endpoints."""
    sources: Annotated[tuple[Source, ...], BeforeValidator(_one_or_many)] = Field(min_length=1)
    """What is watched and listened to."""
    vocabulary: str = "ekman"
    """Name of a vocabulary that comes with emostream, or the path of a YAML file."""
    pace: Literal["realtime", "lossless"] = "realtime"
    """`realtime`: newest wins; `lossless` (files only): nothing drops, the slowest worker sets the pace."""
    window: WindowSection = WindowSection()
    """How windows are cut."""
    face: FaceSection = FaceSection()
    """The face extractor."""
    voice: VoiceSection = VoiceSection()
    """The voice extractor."""
    transcript: TranscriptSection = TranscriptSection()
    """The transcriber."""
    text: TextSection = TextSection()
    """The words as evidence."""
    baseline: BaselineSection = BaselineSection()
    """The personal baseline: what stands out in a face or voice at rest is taken out of its scores."""
    inference: InferenceSection = InferenceSection()
    """The model and where it runs."""
    stream: StreamSection = StreamSection()
    """What subscribers receive."""
    features: FeaturesSection = FeaturesSection()
    """Features for the inference on another host."""
    keys: Path | None = None
    """Folder of the keys that `emostream keys` makes and admits; by default `keys` in the user's
    configuration folder of emostream."""
    gateway: GatewaySection = GatewaySection()
    """The web page, the HTTP interface and the metrics; needs the extra `gateway`."""
    mqtt: MqttSection = MqttSection()
    """Scores and states for an MQTT broker, as Home Assistant reads them; needs the extra `mqtt`."""
    lsl: LslSection = LslSection()
    """A Lab Streaming Layer outlet for each source; needs the extra `lsl`."""
    log: LogSection = LogSection()
    """The logs."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Config:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError(f"source names must differ: {', '.join(names)}")
        if self.pace == "lossless" and any(source.file is None for source in self.sources):
            raise ValueError("`pace: lossless` is for files; a device does not wait")
        if self.features.endpoint is not None and (
            self.pace == "lossless" or any(source.remote is not None for source in self.sources)
        ):
            raise ValueError("`features.endpoint` is for devices and files of this host, at `pace: realtime`")
        return self

    @property
    def run_folder(self) -> Path:
        """Where the daemon's ipc sockets lie; private to its user."""
        return run_folder(self.name)

    @property
    def keys_folder(self) -> Path:
        """Where CURVE keys lie; private to its user."""
        return self.keys or platformdirs.user_config_path("emostream") / "keys"

    def published_at(self, endpoint: str) -> Config:
        """Return the same with the public stream at `endpoint`, which only this user may reach."""
        stream = self.stream.model_copy(update={"endpoint": endpoint, "curve": False})
        return self.model_copy(update={"stream": stream})

    def source(self, name: str) -> Source:
        """Return the source called `name`.

        Raises:
            KeyError: there is none.
        """
        for source in self.sources:
            if source.name == name:
                return source
        raise KeyError(name)


def config_folder() -> Path:
    """Return the folder of the YAML files that come with emostream."""
    packaged = Path(str(importlib.resources.files("stream"))) / "configs"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "configs"


def load_config(path: Path) -> Config:
    """Read a configuration file; relative paths in it are relative to the file.

    Raises:
        YamlFileError: it cannot be read, or has errors.
    """
    config = load_yaml(path, Config)
    folder = path.absolute().parent
    sources = [
        s.model_copy(update={"file": MediaFile(path=folder / s.file.path.expanduser())}) if s.file else s
        for s in config.sources
    ]
    baseline = config.baseline
    if baseline.points is not None:
        baseline = baseline.model_copy(update={"points": folder / baseline.points.expanduser()})
    updates: dict[str, Any] = {
        "sources": tuple(sources),
        "baseline": baseline,
        "keys": config.keys and folder / config.keys.expanduser(),
        "gateway": _anchored(config.gateway, folder, "token_file", "tls_certificate", "tls_key"),
        "mqtt": _anchored(config.mqtt, folder, "tls_ca", "password_file"),
        "vocabulary": str(vocabulary_path(config.vocabulary, folder)),
    }
    return config.model_copy(update=updates)


def _anchored(section: SectionT, folder: Path, *names: str) -> SectionT:
    """Return `section` with the paths called `names` relative to `folder`."""
    given = {name: path for name in names if (path := getattr(section, name)) is not None}
    return section.model_copy(update={name: folder / path.expanduser() for name, path in given.items()})


def vocabulary_path(name: str, folder: Path) -> Path:
    """Return the file of a vocabulary given by name or by path relative to `folder`.

    Raises:
        YamlFileError: no vocabulary of that name comes with emostream.
    """
    if re.fullmatch(r"[\w-]+", name):
        shipped = {path.stem: path for path in (config_folder() / "vocabularies").glob("*.yaml")}
        if name not in shipped:
            raise YamlFileError(
                f"vocabulary: there is none called {name!r}; choose one of {', '.join(sorted(shipped))}, "
                "or give the path of a file"
            )
        return shipped[name]
    return folder / Path(name).expanduser()
