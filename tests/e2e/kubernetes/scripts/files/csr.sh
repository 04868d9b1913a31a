openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj "/CN=bob/O=team" 2>/dev/null | base64 -w0
