"""Recordings: what may be uploaded, which engine and report writer work, how patient the lifecycle is."""

from pathlib import Path

from transcribify.settings.environment import DATA_DIR, env

# --- What may be uploaded ---

# Largest upload, in megabytes (10^6 bytes).
MAX_UPLOAD_MEGABYTES = env.int("MAX_UPLOAD_MEGABYTES", default=2000)

# Longest recording, in seconds of decoded audio.
MAX_AUDIO_SECONDS = env.int("MAX_AUDIO_SECONDS", default=43_200)

# File name endings that are accepted; a name without one is judged by its content alone.
ALLOWED_EXTENSIONS = [
    extension.strip().lstrip(".").lower()
    for extension in env.str(
        "ALLOWED_EXTENSIONS",
        default="mp3,mpga,mpeg,m4a,m4b,aac,wav,w64,flac,ogg,oga,opus,webm,mka,mkv,mp4,m4v,mov,3gp,3g2,aif,aiff,aifc,"
        "caf,amr,wma,wmv,asf,ts,mts",
    ).split(",")
]

# How long recordings and results are kept after a job's end, in days; then they are removed and the job stays as the
# receipt. 0: for ever. Also for jobs that ended before this was set, and whatever delete_after_seconds says.
RETENTION_DAYS = env.float("RETENTION_DAYS", default=0.0)

# --- Recognition ---

# auto, faster-whisper, openai, pocketsphinx, or the dotted path of an engine class. auto: a key that is set > weights
# on disk > the hub answers within 3 s > pocketsphinx.
TRANSCRIPTION_ENGINE = env.str("TRANSCRIPTION_ENGINE", default="auto")

# Model of a request that names none (also called whisper-1): a name, an alias or a folder with weights. Empty: base on
# a processor, turbo on a GPU.
DEFAULT_MODEL = env.str("DEFAULT_MODEL", default="")

# Models that a request may name besides the default, comma-separated. Empty: those in WHISPER_MODELS_DIR.
ALLOWED_MODELS = env.list("ALLOWED_MODELS", default=[])

# Folder with one folder of weights per model; downloads land here, too. Default: DATA_DIR/models.
WHISPER_MODELS_DIR = Path(env.str("WHISPER_MODELS_DIR", default=str(DATA_DIR / "models")))

# Models to load when a worker starts, comma-separated, so that the first job need not wait.
PRELOAD_MODELS = env.list("PRELOAD_MODELS", default=[])

# How many models one worker process keeps in memory at most.
MAX_LOADED_MODELS = env.int("MAX_LOADED_MODELS", default=1)

# auto, cpu or cuda.
WHISPER_DEVICE = env.str("WHISPER_DEVICE", default="auto")

# CTranslate2's compute type. default: int8 on a processor, float16 on a GPU.
WHISPER_COMPUTE_TYPE = env.str("WHISPER_COMPUTE_TYPE", default="default")

# Processor threads per worker process; 0 means all cores divided among the processes of a worker.
WHISPER_CPU_THREADS = env.int("WHISPER_CPU_THREADS", default=0)

# Windows of 30 s that are recognised together; 0: as measured, for a processor or a GPU. 1 is none together.
WHISPER_BATCH_SIZE = env.int("WHISPER_BATCH_SIZE", default=0)

# Beam size of a request that names none.
WHISPER_BEAM_SIZE = env.int("WHISPER_BEAM_SIZE", default=5)

# Recordings are cut at silences into chunks of about so many seconds, which workers recognise side by side: what is
# done again after a crash, and how long another user waits for a turn.
CHUNK_SECONDS = env.float("CHUNK_SECONDS", default=300.0)

# Address asked by auto to learn whether weights can be downloaded.
MODEL_HUB_URL = env.str("HF_ENDPOINT", default="https://huggingface.co")

# Key of an OpenAI-compatible transcription server, and its address when it is not OpenAI's own.
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")

# Key of Groq: recognition runs there when TRANSCRIPTION_ENGINE is auto or openai.
GROQ_API_KEY = env.str("GROQ_API_KEY", default="")
GROQ_BASE_URL = "https://api.groq.com/openai/v1"

# Model asked of that server.
OPENAI_TRANSCRIPTION_MODEL = env.str(
    "OPENAI_TRANSCRIPTION_MODEL", default="whisper-large-v3-turbo" if GROQ_API_KEY else "whisper-1"
)

# Longest wait for one answer of that server, in seconds.
OPENAI_TIMEOUT_SECONDS = env.float("OPENAI_TIMEOUT_SECONDS", default=600.0)

# --- Reports, and enhanced transcripts: these want a language model, whatever writes the reports ---

# auto, openai or extractive. auto: a key that is set > extractive (built in, no network).
REPORT_WRITER = env.str("REPORT_WRITER", default="auto")

# Key of OpenRouter: reports are written there when REPORT_WRITER is auto or openai.
OPENROUTER_API_KEY = env.str("OPENROUTER_API_KEY", default="")
OPENROUTER_BASE_URL = "https://openrouter.ai/api/v1"

# Address of any other OpenAI-compatible chat server (Ollama: http://localhost:11434/v1), and its key if it wants one.
REPORT_BASE_URL = env.str("REPORT_BASE_URL", default="")
REPORT_API_KEY = env.str("REPORT_API_KEY", default="")

# Model asked to write the report, and to enhance the transcript.
REPORT_MODEL = env.str("REPORT_MODEL", default="openai/gpt-4o-mini" if OPENROUTER_API_KEY else "gpt-4o-mini")

# Longest wait for one answer, and for the whole report or the whole enhanced transcript, in seconds.
REPORT_TIMEOUT_SECONDS = env.float("REPORT_TIMEOUT_SECONDS", default=120.0)
REPORT_TOTAL_SECONDS = env.float("REPORT_TOTAL_SECONDS", default=360.0)

# --- The lifecycle (docs/lifecycle.md) ---

# How long a worker may be silent before its job is given to another.
JOB_LEASE_SECONDS = env.float("JOB_LEASE_SECONDS", default=60.0)

# Silent workers at one stage of a job after which the recording itself is held to be the cause.
JOB_MAX_CRASHES = env.int("JOB_MAX_CRASHES", default=3)

# A waiting job is rung again after this time: the first message may be lost.
JOB_RING_AGAIN_SECONDS = env.float("JOB_RING_AGAIN_SECONDS", default=20.0)

# Longest time without progress before a process is taken for hung; 0: by stage and model.
JOB_STALL_SECONDS = env.float("JOB_STALL_SECONDS", default=0.0)

# Recordings of one user that workers go through at the same time; staff may set another number for a user. 0: any.
JOBS_IN_FLIGHT = env.int("JOBS_IN_FLIGHT", default=0)

# How long a job goes on whose client waited for the answer on an open connection and went away, in seconds: it may send
# its request again.
ABANDONED_JOB_SECONDS = env.float("ABANDONED_JOB_SECONDS", default=120.0)

# Pause between two rounds of the reconciler.
RECONCILE_EVERY_SECONDS = env.float("RECONCILE_EVERY_SECONDS", default=5.0)
