"""Driving legacy screens: sessions in a browser of their own process group, element maps, evidence."""
