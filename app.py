"""The Slipway app: `streamlit run app.py`. Declares the navigation and runs the page that the address names."""

from core.ui.shell.frame import route

route()
