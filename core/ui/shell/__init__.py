"""What every page stands in: frame, navigation, what is remembered, cached, asked and drawn again. It knows no page."""
