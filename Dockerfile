FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
RUN SECRET_KEY_FILE= python manage.py collectstatic --noinput \
    && rm -f db.sqlite3* \
    && useradd --system --uid 10001 lavawall \
    && chown -R lavawall /app
USER lavawall
EXPOSE 8000
