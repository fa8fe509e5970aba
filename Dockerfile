# One image for every process of Transcribify; docker-compose.yml says which runs what.
#   docker build -t transcribify .                  recognition on processors
#   docker build -t transcribify-gpu --target gpu . with what CTranslate2 needs on NVIDIA GPUs
#   docker build -t transcribify-bench --target bench . measures accuracy (docs/accuracy.md)

FROM python:3.11-slim AS packages
RUN pip install --no-cache-dir uv && python -m venv /venv
COPY requirements/base.txt /tmp/base.txt
RUN uv pip install --no-cache --python /venv/bin/python -r /tmp/base.txt

FROM python:3.11-slim AS service
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home transcribify \
    && install -d -o transcribify -g transcribify /data
COPY --from=packages /venv /venv
COPY . /app
WORKDIR /app
ENV PATH="/venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=transcribify.settings.production \
    DATA_DIR=/data
# Compiled here, because the user below may not write into /app.
RUN python -m compileall -q accounts deploy jobs reports transcribify celery_app.py
USER transcribify
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "deploy.healthcheck"]
CMD ["uvicorn", "transcribify.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-proxy-headers", \
     "--timeout-graceful-shutdown", "10"]

FROM service AS gpu
USER root
# CTranslate2 loads cuBLAS by name.
RUN python -m pip install --no-cache-dir "nvidia-cublas-cu12>=12.4,<13"
ENV LD_LIBRARY_PATH=/venv/lib/python3.11/site-packages/nvidia/cublas/lib \
    WORKER_START_METHOD=spawn
USER transcribify

FROM service AS bench
USER root
RUN python -m pip install --no-cache-dir -r requirements/bench.txt
USER transcribify
ENTRYPOINT ["python", "-m", "benchmark.run"]
HEALTHCHECK NONE

# What "docker build ." makes when no target is named.
FROM service
