FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# The code stays root's: the user that runs it cannot change it.
RUN key() { python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"; } \
    && ALLOWED_HOSTS=build.invalid DATABASE_URL=sqlite:////tmp/build.sqlite3 SECRET_KEY=$(key) LAVAWALL_MASTER_KEY=$(key) \
       python manage.py collectstatic --noinput \
    && rm -f /tmp/build.sqlite3* \
    && useradd --system --uid 10001 --no-create-home lavawall
USER lavawall
EXPOSE 8000
